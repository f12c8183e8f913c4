"""The add-on comes into the real Blender, both ways: enabled by the installer, and as an extension."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest

from tessera_backend import install
from tessera_backend.cli import doctor
from tessera_backend.install import blender as installer
from tessera_backend.install import extension, vendor
from tests.conftest import BackendProcess

from .blender import Blender
from .conftest import BPY, own_libraries_do

EXTENSION = "bl_ext.user_default.tessera"
PREFERENCES = """
import bpy
view = bpy.context.preferences.view
print("tessera-test", "tessera" in bpy.context.preferences.addons, round(view.ui_scale, 3))
"""


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home without anything of Blender; the folder that has one for each version."""
    for name in ("BLENDER_USER_SCRIPTS", "BLENDER_USER_RESOURCES", "BLENDER_USER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "blender"


def printed(script: str) -> str:
    """What a script that starts with the user's preferences prints on its line."""
    command = ["blender", "-b", "--python-exit-code", "1", "--python-expr", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next((line for line in done.stdout.splitlines() if line.startswith("tessera-test")), "")


@pytest.mark.host("blender")
def test_the_installer_enables_it(profile: Path) -> None:
    """After it Blender starts with the add-on; other preferences stay as they were, after uninstalling, too."""
    printed("import bpy; bpy.context.preferences.view.ui_scale = 1.25; bpy.ops.wm.save_userpref()")

    report = install.install("blender", offline=own_libraries_do())

    assert report.works
    assert all(note.startswith(("Offline", "No pyzmq")) for note in report.notes)
    assert report.folders[0].parents[3] == profile
    assert printed(PREFERENCES) == "tessera-test True 1.25"
    (line,) = [line for line in doctor.examine() if line.subject == "Blender"]
    assert (line.ok, line.what.partition("; ")[2]) == (True, f"plugin {report.version} installed")

    install.uninstall("blender")

    assert not report.folders[0].exists()
    assert printed(PREFERENCES) == "tessera-test False 1.25"


@pytest.mark.host("blender")
def test_settings_of_an_older_version_can_still_be_handed_on(profile: Path) -> None:
    """A Blender that was not started yet, beside an older one, gets no preferences from us; the report says so."""
    _, version = install.find_host("blender") or pytest.fail("no Blender")
    major, minor = map(int, (version or "").split(".")[:2])
    older = f"{major}.{minor - 1}"
    (profile / older / "config").mkdir(parents=True)
    (profile / older / "config" / "userpref.blend").write_bytes(b"")

    report = install.install("blender", offline=own_libraries_do())

    newest = report.folders[-1].parents[2]
    assert report.works
    assert not (newest / "config" / "userpref.blend").exists()
    assert any("has not been started yet" in note for note in report.notes)


@pytest.mark.host("blender")
def test_a_broken_addon_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Blender says when it can't enable the add-on is what the user reads."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "__init__.py").write_text("raise RuntimeError('staged')")
    monkeypatch.setattr(install, "source_folder", lambda _: source)

    report = install.install("blender", tmp_path / "scripts" / "addons", offline=own_libraries_do())

    assert not report.works
    assert any("cannot run the add-on: RuntimeError('staged')" in note for note in report.notes)


@pytest.fixture(scope="session")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension for this machine, with the libraries of this environment."""
    return extension.build(tmp_path_factory.mktemp("zip"), offline=True).files[0]


@pytest.mark.host("bpy")
def test_blenders_own_tool_finds_nothing_wrong(zipped: Path) -> None:
    """The manifest, its texts, platforms and wheels are as Blender wants them."""
    script = (
        "import bpy, os, runpy, sys; sys.argv = ['blender_ext.py', 'validate', sys.argv[1]]\n"
        "tool = os.path.join(bpy.utils.system_resource('SCRIPTS'), 'addons_core/bl_pkg/cli/blender_ext.py')\n"
        "runpy.run_path(tool, run_name='__main__')"
    )
    done = subprocess.run([BPY, "-c", script, str(zipped)], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Success" in done.stdout


@pytest.mark.host("bpy")
@pytest.mark.skipif(vendor.own_python() != "3.11", reason="bpy 4.2 to 5.0 want the libraries of Python 3.11")
def test_it_installs_as_an_extension(bpy_python: Blender, backend: BackendProcess, zipped: Path) -> None:
    """Blender itself installs the zip, enables it, unpacks its wheels, and they reach the backend."""
    bare = dataclasses.replace(bpy_python, enabled="")
    bare.run(
        """
        done = bpy.ops.extensions.package_install_files(
            filepath=given["zip"], repo="user_default", enable_on_install=True
        )
        assert done == {"FINISHED"}, done
        assert given["name"] in bpy.context.preferences.addons
        """,
        zip=str(zipped),
        name=EXTENSION,
    )
    files = dataclasses.replace(bpy_python, enabled=EXTENSION).run(
        """
        import sys
        import tessera_protocol.client as client
        with client.Client("test") as backend:
            assert backend.status()["workers"]
        answer([sys.modules[given["name"]].__file__, client.__file__])
        """,
        name=EXTENSION,
    )

    assert isinstance(files, list)
    assert all(file.startswith(str(bpy_python.folder / "blender" / "extensions")) for file in files)


@pytest.mark.host("bpy")
def test_not_twice(bpy_python: Blender) -> None:
    """Where it is an extension already, the installer's own script enables no second one, and says why."""
    switch = installer.SWITCH.format(on=True, save=False)
    said = dataclasses.replace(bpy_python, enabled="").run(
        """
        import contextlib, io
        bpy.context.preferences.addons.new().module = "bl_ext.user_default.tessera"
        with contextlib.redirect_stdout(io.StringIO()) as said:
            exec(given["switch"])
        answer([said.getvalue(), "tessera" in bpy.context.preferences.addons])
        """,
        switch=switch,
    )

    assert said == [
        "tessera-switch 0 it has Tessera as an extension, too (bl_ext.user_default.tessera); remove that or this\n",
        False,
    ]
