"""Blender's folders on every system, and the extension's zips for all of them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from tessera_backend import install
from tessera_backend.cli import main
from tessera_backend.install import blender, extension, sources, vendor, wheels
from tessera_protocol import __version__
from tessera_protocol.errors import InvalidInput

# What Blender's platforms are called in the names of wheels.
TAGS = {
    "linux-x64": "manylinux_2_28_x86_64",
    "windows-x64": "win_amd64",
    "macos-arm64": "macosx_11_0_arm64",
    "macos-x64": "macosx_11_0_x86_64",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home without Blender, on Linux."""
    for name in ("BLENDER_USER_SCRIPTS", "BLENDER_USER_RESOURCES", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(blender, "programs", list)
    return tmp_path


@pytest.mark.parametrize(
    ("platform", "environment", "root"),
    [
        ("linux", {}, ".config/blender"),
        ("linux", {"XDG_CONFIG_HOME": "{home}/cfg"}, "cfg/blender"),
        ("darwin", {}, "Library/Application Support/Blender"),
        ("win32", {"APPDATA": "{home}/Roaming"}, "Roaming/Blender Foundation/Blender"),
    ],
)
def test_every_version_gets_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, platform: str, environment: dict[str, str], root: str
) -> None:
    """Each version that was used, in its order, and the one that is installed but was not; not what is too old."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(home=home))
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(blender, "programs", lambda: [Path("/opt/blender")])
    monkeypatch.setattr(blender, "version", lambda _: "4.10.2")
    for name in ("2.93", "3.3", "3.4", "4.2", "4.5", "notes"):
        (home / root / name).mkdir(parents=True)

    found = blender.folders()

    assert found == [home / root / name / "scripts" / "addons" for name in ("3.4", "4.2", "4.5", "4.10")]


def test_a_version_that_is_not_there_now(home: Path) -> None:
    """It gets the add-on for when it comes back, is not tried, and the user reads what to do then."""
    (home / ".config/blender/4.2").mkdir(parents=True)

    report = install.install("blender", offline=True)

    assert [path.relative_to(home).as_posix() for path in report.folders] == [
        ".config/blender/4.2/scripts/addons/tessera"
    ]
    assert not report.works
    assert any("No Blender was found for" in note and "/4.2/" in note for note in report.notes)


@pytest.mark.parametrize(
    ("name", "expected"), [("BLENDER_USER_SCRIPTS", "addons"), ("BLENDER_USER_RESOURCES", "scripts/addons")]
)
def test_the_environment_says_where(home: Path, monkeypatch: pytest.MonkeyPatch, name: str, expected: str) -> None:
    """What Blender itself would read wins over the usual places."""
    monkeypatch.setenv(name, str(home / "own"))
    assert blender.folders() == [home / "own" / expected]


def test_a_flatpak_gets_it_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Blender in a Flatpak is served, but not started, and the user reads what it can't do."""
    monkeypatch.setattr(blender, "programs", lambda: [Path("/usr/bin/blender")])
    monkeypatch.setattr(blender, "version", lambda _: "4.5.0")
    (home / blender.FLATPAK / "4.5").mkdir(parents=True)
    ordinary, boxed = blender.folders()
    assert [blender.boxed(ordinary), blender.boxed(boxed)] == [False, True]
    monkeypatch.setattr(blender, "folders", lambda: [boxed])

    report = install.install("blender", offline=True)

    assert (boxed / "tessera" / "lib" / "zmq").is_dir()
    assert not report.works
    assert any("in a sandbox, which cannot start the backend" in note for note in report.notes)


def test_an_extension_counts_as_installed(home: Path) -> None:
    """What Blender installed from our file is known to `tessera doctor`; a broken one is not."""
    extension = home / ".config/blender/4.5/extensions/user_default/tessera/blender_manifest.toml"
    extension.parent.mkdir(parents=True)
    extension.write_text("version =")
    assert install.installed("blender") is None
    extension.write_text('version = "0.0.9"')
    assert install.installed("blender") == "0.0.9"


def test_without_blender(home: Path) -> None:
    """It goes where it was told to; the report says that nothing was tried, and how to enable it."""
    report = install.install("blender", home / "addons", offline=True)

    assert (home / "addons" / "tessera" / "settings.json").is_file()
    assert not report.works
    assert any("tick Tessera" in note for note in report.notes)
    assert install.uninstall("blender", home / "addons").folders == (home / "addons" / "tessera",)
    assert not any((home / "addons").iterdir())


def test_the_manifest_keeps_step() -> None:
    """The add-on and the protocol are of one release."""
    manifest = tomllib.loads((sources.source_folder("blender") / "blender_manifest.toml").read_text(encoding="utf-8"))
    assert manifest["version"] == __version__


@pytest.mark.parametrize("platform", list(TAGS))
def test_an_extension_for_each_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    """The zip lists the wheels that are in it, for this platform and each of Blender's Pythons, and nothing local."""

    def fetch(version: str, requirements: list[str], folder: Path, platforms: list[str]) -> str:
        assert TAGS[platform] in platforms
        for requirement in requirements:
            tag = f"cp{version.replace('.', '')}"
            (folder / f"{requirement.replace('==', '-')}-{tag}-{tag}-{platforms[0]}.whl").write_bytes(b"")
        return ""

    monkeypatch.setattr(wheels, "fetch", fetch)

    made = extension.build(tmp_path / "new", [platform])

    assert made.notes == ()
    assert [path.name for path in made.files] == [f"tessera-{__version__}-{platform.replace('-', '_')}.zip"]
    with zipfile.ZipFile(made.files[0]) as archive:
        names = set(archive.namelist())
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    assert manifest["platforms"] == [platform]
    assert {f"./{name}" for name in names if name.startswith("wheels/")} == set(manifest["wheels"])
    assert {name.split("/")[1].split("-")[0] for name in names if name.startswith("wheels/")} == {
        "pyzmq",
        "msgpack",
        "tessera_protocol",
    }
    assert len(manifest["wheels"]) == 1 + 2 * len(extension.PYTHONS)
    assert "__init__.py" in names
    assert not [name for name in names if name.startswith("lib/") or "__pycache__" in name or name == "settings.json"]


def test_libraries_that_cannot_be_had(tmp_path: Path) -> None:
    """Offline there are none for another platform; nothing is written, and the message says what would help."""
    foreign = next(name for name in TAGS if name != extension.this_platform())

    done = CliRunner().invoke(
        main, ["package", "blender", "-o", str(tmp_path / "new"), "--platform", foreign, "--offline"]
    )

    assert done.exit_code == 2
    assert f"The libraries for Blender on {foreign} can't be had" in done.stderr
    assert not (tmp_path / "new").exists()


def test_unknown_platform(tmp_path: Path) -> None:
    """The message lists those that there are."""
    with pytest.raises(InvalidInput, match="Choose from: linux-x64, windows-x64, macos-arm64, macos-x64"):
        extension.build(tmp_path, ["beos-x64"])


def test_wheels_are_whole(tmp_path: Path) -> None:
    """pip takes what was put together again from the installed packages, and what was made of a package of ours."""
    packed = [wheels.of_installed(name, tmp_path) for name in vendor.PACKAGES]
    packed.append(wheels.of_package(Path(install.__file__).parent, "1.0", tmp_path))
    target = tmp_path / "lib"
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", "--target", str(target)]
    command = [sys.executable, "-m", "pip", "install", *options, *map(str, packed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    assert {"zmq", "msgpack", "install"} <= {path.name for path in target.iterdir()}
