"""The examples are found from a wheel, an editable install and a plain checkout."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from anticipate.datasets import load_example, load_example_truth

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "datasets"
LOAD = """
import anticipate
from anticipate.datasets import _find, load_example, load_example_truth
print(anticipate.__file__)
print(_find("bookshop.csv"))
print(load_example().n_events + load_example("three_buyers").n_events)
print(len(load_example_truth()["accidental"]))
"""


def load_from(path: Path, *before: str) -> list[str]:
    """Load the examples in a fresh process that sees the library at ``path`` only."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join([*before, LOAD])],
        cwd=path,
        env=environment | ({} if before else {"PYTHONPATH": str(path)}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def expected(package: Path, data: Path) -> list[str]:
    log, truth = load_example(), load_example_truth()
    counts = [str(log.n_events + 12), str(len(truth["accidental"]))]
    return [str(package / "__init__.py"), str(data / "bookshop.csv"), *counts]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a wheel is built from."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("anticipate", "datasets"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, folder)
    return folder


def test_a_plain_checkout_finds_its_folder(checkout: Path):
    assert load_from(checkout) == expected(checkout / "anticipate", checkout / "datasets")


def test_an_editable_install_finds_the_folder_beside_the_package(checkout: Path, tmp_path: Path):
    """An editable install is a .pth file that names the checkout, read when Python starts."""
    (tmp_path / "editable.pth").write_text(f"{checkout}\n", encoding="utf-8")
    add = (
        f"import site, sys; site.addsitedir({str(tmp_path)!r}); sys.path.insert(0, sys.path.pop())"
    )

    found = load_from(tmp_path, add)
    assert found == expected(checkout / "anticipate", checkout / "datasets")


def test_a_wheel_carries_its_data_and_every_module(checkout: Path, tmp_path: Path):
    built = shutil.copytree(checkout, tmp_path / "source")
    # Without setuptools of that age, pip fetches one into a place of its own.
    ready = int(version("setuptools").split(".")[0]) >= 77
    isolation = ["--no-build-isolation"] if ready else []
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", *isolation]
    run = subprocess.run(
        [*command, "--wheel-dir", str(tmp_path), str(built)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        wheel.extractall(tmp_path / "site")

    ours = {path.relative_to(checkout).as_posix() for path in checkout.glob("anticipate/**/*.py")}
    assert ours <= names
    assert {f"anticipate/_data/{path.name}" for path in FOLDER.glob("*.csv")} <= names
    installed = tmp_path / "site" / "anticipate"
    assert load_from(tmp_path / "site") == expected(installed, installed / "_data")


def test_setup_cfg_names_every_package():
    """``find:`` cannot see anticipate._data, so the list is written out, and must be whole."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    folders = {path.parent.relative_to(ROOT) for path in ROOT.glob("anticipate/**/*.py")}
    packages = {".".join(folder.parts) for folder in folders}

    assert set(settings["options"]["packages"].split()) == packages | {"anticipate._data"}
