"""One log as files, and the Go verifier, made once."""

from pathlib import Path

import pytest

from tests.foreign.files import Files, make
from tests.foreign.programs import go_verifier


@pytest.fixture(name="files", scope="session")
def _files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return make(tmp_path_factory.mktemp("files"))


@pytest.fixture(name="go", scope="session")
def _go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return go_verifier(tmp_path_factory.mktemp("go"))
