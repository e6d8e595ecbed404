"""One life for the whole folder, and a copy of it for whoever works on it."""

from pathlib import Path

import pytest

from tests.battery.lives import Life, lived


@pytest.fixture(name="life", scope="session")
def _life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    return lived(tmp_path_factory.mktemp("life") / "workspace")


@pytest.fixture(name="copy")
def _copy(life: Life, tmp_path: Path) -> Life:
    return life.copy(tmp_path / "copy")
