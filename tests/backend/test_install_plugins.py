"""Plugins go into their programs whole, come out again, and nothing of the user's is touched."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tessera_backend import install
from tessera_backend.install import folder, inkscape, vendor, wheels
from tessera_protocol import __version__
from tessera_protocol.errors import InvalidInput

PINNED = ["pyzmq", "msgpack"]


def contents(path: Path) -> set[str]:
    return {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}


@pytest.fixture
def extensions(tmp_path: Path) -> Path:
    """The extensions folder of an Inkscape, with one of somebody else's in it."""
    path = tmp_path / "inkscape profile" / "extensions"
    path.mkdir(parents=True)
    (path / "other.inx").write_text("<inkscape-extension/>")
    return path


def test_install_puts_all_in_one_folder(extensions: Path) -> None:
    """Effect, dialog, libraries and settings lie in one folder; the report says so, and `installed` finds it."""
    report = install.install("inkscape", extensions, offline=True)

    assert report.folders == (extensions / "tessera",)
    assert {"tessera_stipple.inx", "tessera_stipple.py", "settings.json"} <= contents(extensions / "tessera")
    assert {path.name for path in extensions.iterdir()} == {"other.inx", "tessera"}
    assert install.installed("inkscape", extensions) == __version__
    settings = json.loads((extensions / "tessera" / "settings.json").read_text())
    assert settings["backend_command"][0] == sys.executable
    assert any("Offline" in note for note in report.notes)


def test_its_libraries_load_without_this_environment(extensions: Path) -> None:
    """An isolated Python of this version, without site-packages, loads all three libraries from the plugin."""
    install.install("inkscape", extensions, offline=True)
    lib = extensions / "tessera" / "lib"
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import zmq, msgpack, tessera_protocol.client as c\n"
        "print(all(m.__file__.startswith(sys.argv[1]) for m in (zmq, msgpack, c)))"
    )
    command = [sys.executable, "-I", "-S", "-c", script, str(lib)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.stdout.strip() == "True", done.stderr


def test_install_again_replaces_and_keeps_what_the_user_added(extensions: Path) -> None:
    """An update leaves no file of the older version, and does not touch the user's own."""
    install.install("inkscape", extensions, offline=True)
    ours = extensions / "tessera"
    (ours / "tessera_inkscape" / "__pycache__").mkdir()
    (ours / "tessera_inkscape" / "__pycache__" / "old.pyc").write_bytes(b"")
    (ours / "notes.txt").write_text("mine")
    manifest = json.loads((ours / folder.MANIFEST).read_text())
    (ours / "gone.py").write_text("# of an older version")
    manifest["files"].append("gone.py")
    (ours / folder.MANIFEST).write_text(json.dumps(manifest))

    install.install("inkscape", extensions, offline=True)

    assert (ours / "notes.txt").read_text() == "mine"
    assert not (ours / "gone.py").exists()
    assert not list(ours.rglob("*.pyc"))
    assert {path.name for path in extensions.iterdir()} == {"other.inx", "tessera"}


def test_a_failed_update_leaves_the_old_version(extensions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When something breaks while the draft is filled, what was installed still works, and no draft stays."""
    install.install("inkscape", extensions, offline=True)
    before = contents(extensions)

    def break_off(*_: object) -> None:
        raise OSError("staged")

    monkeypatch.setattr(install, "_fill", break_off)
    with pytest.raises(OSError, match="staged"):
        install.install("inkscape", extensions, offline=True)

    assert contents(extensions) == before


def test_a_folder_that_is_not_ours_stays(extensions: Path) -> None:
    """A folder of that name which Tessera did not make is neither replaced nor removed."""
    (extensions / "tessera").mkdir()
    (extensions / "tessera" / "mosaic.py").write_text("# somebody else's")

    with pytest.raises(InvalidInput, match="Tessera did not put it there"):
        install.install("inkscape", extensions, offline=True)
    report = install.uninstall("inkscape", extensions)

    assert report.folders == ()
    assert (extensions / "tessera" / "mosaic.py").exists()


def test_uninstall_takes_only_what_was_installed(extensions: Path) -> None:
    """After it the folder is gone; with something of the user's in it, that alone stays, and the report says so."""
    install.install("inkscape", extensions, offline=True)
    assert install.uninstall("inkscape", extensions).folders == (extensions / "tessera",)
    assert contents(extensions) == {"other.inx"}
    assert install.installed("inkscape", extensions) is None

    install.install("inkscape", extensions, offline=True)
    (extensions / "tessera" / "notes.txt").write_text("mine")
    report = install.uninstall("inkscape", extensions)
    assert contents(extensions) == {"other.inx", "tessera/notes.txt"}
    assert any("notes.txt" in note for note in report.notes)


def test_a_manifest_cannot_reach_out_of_its_folder(extensions: Path) -> None:
    """A tampered list of files removes nothing outside."""
    install.install("inkscape", extensions, offline=True)
    path = extensions / "tessera" / folder.MANIFEST
    manifest = json.loads(path.read_text())
    manifest["files"] += ["../other.inx", str(extensions / "other.inx")]
    path.write_text(json.dumps(manifest))

    install.uninstall("inkscape", extensions)

    assert contents(extensions) == {"other.inx"}


def test_unknown_host() -> None:
    """The message lists the hosts that there are."""
    with pytest.raises(InvalidInput, match="Choose one of: inkscape"):
        install.install("gimp")


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, ".config/inkscape/extensions"),
        ("linux", {"XDG_CONFIG_HOME": "{home}/cfg"}, "cfg/inkscape/extensions"),
        ("linux", {"INKSCAPE_PROFILE_DIR": "{home}/profile"}, "profile/extensions"),
        ("darwin", {}, "Library/Application Support/org.inkscape.Inkscape/config/inkscape/extensions"),
        ("win32", {"APPDATA": "{home}/Roaming"}, "Roaming/inkscape/extensions"),
    ],
)
def test_where_extensions_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, environment: dict[str, str], expected: str
) -> None:
    """Each system's own place, and what the environment says."""
    for name in ("XDG_CONFIG_HOME", "INKSCAPE_PROFILE_DIR", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(home=tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(sys, "platform", platform)

    assert inkscape.folders() == [tmp_path / expected]


def test_a_flatpak_gets_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An Inkscape in a Flatpak is served beside the ordinary one, or alone where there is no other."""
    for name in ("XDG_CONFIG_HOME", "INKSCAPE_PROFILE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    flatpak = tmp_path / inkscape.FLATPAK
    flatpak.mkdir(parents=True)

    monkeypatch.setattr(inkscape, "program", lambda: Path("/usr/bin/inkscape"))
    assert inkscape.folders() == [tmp_path / ".config/inkscape/extensions", flatpak / "extensions"]
    monkeypatch.setattr(inkscape, "program", lambda: None)
    assert inkscape.folders() == [flatpak / "extensions"]
    assert inkscape.boxed(flatpak / "extensions")


def test_the_preferred_interpreter_comes_first(tmp_path: Path) -> None:
    """A Python that Inkscape's preferences name is the one that has to be served."""
    python = tmp_path / "python"
    python.write_text("")
    (tmp_path / "preferences.xml").write_text(
        f'<inkscape><group id="extensions" python-interpreter="{python}"/></inkscape>', encoding="utf-8"
    )
    assert inkscape.interpreters(tmp_path / "extensions")[0] == python


def test_probe_says_why_not(tmp_path: Path) -> None:
    """Python that can't load ZeroMQ, or not the plugin at all, or that does not run: each with the reason."""
    vendor.copy_package("tessera_protocol", tmp_path)
    vendor.copy_package("msgpack", tmp_path)
    (tmp_path / "zmq.py").write_text("raise ImportError('staged: built for another Python')")
    assert vendor.probe(Path(sys.executable), tmp_path) == (vendor.own_python(), "staged: built for another Python")

    (tmp_path / "tessera_protocol" / "client.py").write_text("raise ImportError('staged: broken')")
    assert vendor.probe(Path(sys.executable), tmp_path) == ("", "ImportError: staged: broken")

    version, problem = vendor.probe(tmp_path / "no-python", tmp_path)
    assert version == ""
    assert "No such file" in problem


def test_no_network_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When wheels can't be fetched, this Python's own libraries are installed, and the report names the others."""
    monkeypatch.setattr(vendor, "COMMON_PYTHONS", (vendor.own_python(), "3.99"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))

    notes = vendor.fill(tmp_path / "lib")

    assert [note.split(":")[0] for note in notes] == ["No pyzmq and msgpack for Python 3.99"]
    assert (tmp_path / "lib" / "zmq").is_dir()


def test_wheels_of_another_release_get_their_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python too old for this release is served from a folder that only it looks into."""
    asked: list[list[str]] = []

    def pip(version: str, requirements: list[str], into: Path) -> str:
        asked.append(list(requirements))
        if any("==" in requirement for requirement in requirements):
            return "No matching distribution"
        import zipfile

        with zipfile.ZipFile(into / "old.whl", "w") as wheel:
            wheel.writestr("zmq/__init__.py", "")
            wheel.writestr("zmq/tests/__init__.py", "")
        return ""

    monkeypatch.setattr(wheels, "fetch", pip)

    assert vendor.download("3.9", tmp_path) == ""
    assert asked[1] == PINNED
    assert contents(tmp_path) == {"cp39/zmq/__init__.py"}
