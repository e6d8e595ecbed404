// goverify holds the files of a log against the Go team's own packages for signed notes and transparency logs.
// It knows nothing of Interlock: all of it is C2SP signed-note, tlog-checkpoint, tlog-tiles and tlog-proof.
//
//	goverify log DIR VKEY [OLDER_CHECKPOINT]   every tile and every entry of the log, and that it continues an older one
//	goverify proof PROOF ENTRY VKEY            that the entry is in the log, from the proof file alone
//
// It prints what it saw and ends with 0, or says what is wrong and ends with 1.
package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8
const width = 1 << height

// files reads tiles from a folder. C2SP leaves the height out of the path that Go's package writes.
type files struct{ dir string }

func (f files) Height() int                     { return height }
func (f files) SaveTiles([]tlog.Tile, [][]byte) {}

func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		path := strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
		data, err := os.ReadFile(filepath.Join(f.dir, path))
		if err != nil {
			return nil, err
		}
		if len(data) != t.W*tlog.HashSize {
			return nil, fmt.Errorf("%s is %d bytes long", path, len(data))
		}
		all = append(all, data)
	}
	return all, nil
}

func bundlePath(n int64, entries int) string {
	t := tlog.Tile{H: height, L: 0, N: n, W: entries}
	return strings.Replace(t.Path(), fmt.Sprintf("tile/%d/0/", height), "tile/entries/", 1)
}

func openCheckpoint(data []byte, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return tlog.Tree{}, fmt.Errorf("not a size: %q", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func checkLog(dir, vkey, older string) error {
	data, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(data, vkey)
	if err != nil {
		return fmt.Errorf("checkpoint: %v", err)
	}
	reader := tlog.TileHashReader(tree, files{dir})
	for start := int64(0); start < tree.N; start += width {
		count := width
		if left := tree.N - start; left < width {
			count = int(left)
		}
		if err := checkBundle(dir, reader, start, count); err != nil {
			return err
		}
	}
	for _, index := range sample(tree.N) {
		if err := checkInclusion(tree, reader, index); err != nil {
			return fmt.Errorf("inclusion of %d: %v", index, err)
		}
	}
	if older != "" {
		if err := checkContinues(tree, reader, older, vkey); err != nil {
			return fmt.Errorf("consistency: %v", err)
		}
	}
	fmt.Printf("%d entries\n", tree.N)
	return nil
}

// checkBundle reads the entries of one bundle and holds their hashes against the tree's, which the reader has
// authenticated up to the signed root.
func checkBundle(dir string, reader tlog.HashReader, start int64, count int) error {
	path := bundlePath(start/width, count)
	data, err := os.ReadFile(filepath.Join(dir, path))
	if err != nil {
		return err
	}
	indexes := make([]int64, count)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(0, start+int64(i))
	}
	hashes, err := reader.ReadHashes(indexes)
	if err != nil {
		return err
	}
	for i := 0; i < count; i++ {
		if len(data) < 2 {
			return fmt.Errorf("%s is cut off", path)
		}
		length := int(data[0])<<8 | int(data[1])
		if len(data) < 2+length {
			return fmt.Errorf("%s is cut off", path)
		}
		if tlog.RecordHash(data[2:2+length]) != hashes[i] {
			return fmt.Errorf("entry %d is not the one in the tree", start+int64(i))
		}
		data = data[2+length:]
	}
	if len(data) != 0 {
		return fmt.Errorf("%s holds more than %d entries", path, count)
	}
	return nil
}

func checkInclusion(tree tlog.Tree, reader tlog.HashReader, index int64) error {
	proof, err := tlog.ProveRecord(tree.N, index, reader)
	if err != nil {
		return err
	}
	leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf[0])
}

func checkContinues(tree tlog.Tree, reader tlog.HashReader, older, vkey string) error {
	data, err := os.ReadFile(older)
	if err != nil {
		return err
	}
	before, err := openCheckpoint(data, vkey)
	if err != nil {
		return err
	}
	if before.N > tree.N {
		return fmt.Errorf("the log had %d entries and has %d", before.N, tree.N)
	}
	if before.N == 0 {
		return nil
	}
	proof, err := tlog.ProveTree(tree.N, before.N, reader)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, before.N, before.Hash)
}

func sample(size int64) []int64 {
	var chosen []int64
	step := size/100 + 1
	for index := int64(0); index < size; index += step {
		chosen = append(chosen, index)
	}
	if size > 0 {
		chosen = append(chosen, size-1)
	}
	return chosen
}

func checkProof(proofPath, entryPath, vkey string) error {
	data, err := os.ReadFile(proofPath)
	if err != nil {
		return err
	}
	entry, err := os.ReadFile(entryPath)
	if err != nil {
		return err
	}
	head, checkpoint, found := bytes.Cut(data, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("not a tlog-proof")
	}
	lines = lines[1:]
	if strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return fmt.Errorf("the proof has no index")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		raw, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(raw) != tlog.HashSize {
			return fmt.Errorf("not a hash: %q", line)
		}
		var hash tlog.Hash
		copy(hash[:], raw)
		proof = append(proof, hash)
	}
	tree, err := openCheckpoint(checkpoint, vkey)
	if err != nil {
		return err
	}
	if index >= tree.N {
		return fmt.Errorf("entry %d is not in a log of %d", index, tree.N)
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		return err
	}
	fmt.Printf("entry %d of %d\n", index, tree.N)
	return nil
}

func main() {
	var err error
	switch {
	case len(os.Args) == 4 && os.Args[1] == "log":
		err = checkLog(os.Args[2], os.Args[3], "")
	case len(os.Args) == 5 && os.Args[1] == "log":
		err = checkLog(os.Args[2], os.Args[3], os.Args[4])
	case len(os.Args) == 5 && os.Args[1] == "proof":
		err = checkProof(os.Args[2], os.Args[3], os.Args[4])
	default:
		err = fmt.Errorf("usage: goverify log DIR VKEY [OLDER_CHECKPOINT] | proof PROOF ENTRY VKEY")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
