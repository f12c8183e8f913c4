"""The progress window of an effect: Inkscape itself stands still while an effect runs, and has no Cancel.

Gtk 3 comes with Inkscape on Windows and macOS, and on Linux where python3-gi is installed. Without it, without a
display, or with TESSERA_NO_WINDOW set, `open_window` gives a Window that shows nothing and is never cancelled.
"""

from __future__ import annotations

import os
import signal
import time
import warnings
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .preview import Preview

# A job that is done before this shows no window: a flash tells nobody anything.
SHOW_AFTER = 0.4
# The longer side of a preview in px. It is drawn twice as large, and scaled down: that makes edges smooth.
PREVIEW_SIDE = 360


class Window:
    """What `follow` talks to; this one shows nothing.

    As a context it takes a SIGTERM, with which Inkscape ends an effect, for a press on Cancel: the job ends, too.
    """

    def __init__(self) -> None:
        self._cancelled = self._kept = False
        self._on_sigterm: Any = None

    def begin(self, stoppable: bool) -> None:
        """A job is to be followed, without a preview yet; a wish to keep was for the one before.

        Args:
            stoppable: whether it can end early, with its result as it is by then.
        """
        self._kept = False

    def tell(self, text: str, fraction: float | None) -> None:
        """Show a line of text and how far the work is, 0 to 1; None: not known."""

    def show(self, preview: Preview) -> None:
        """Show how the result looks so far."""

    def cancelled(self) -> bool:
        """Whether the artist wants to stop. Called several times a second: this is where a window lives."""
        return self._cancelled

    def cancel(self) -> None:
        """What the Cancel button does."""
        self._cancelled = True

    def kept(self) -> bool:
        """Whether the artist wants the job's result as it is by now."""
        return self._kept

    def keep(self) -> None:
        """What the Keep button does."""
        self._kept = True

    def close(self) -> None:
        """Take the window away."""

    def __enter__(self) -> Window:
        self._on_sigterm = signal.signal(signal.SIGTERM, lambda *_: self.cancel())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGTERM, self._on_sigterm)
        self.close()


class GtkWindow(Window):
    """A small window with text, a bar and a Cancel button, and above them a preview once there is one.

    Beside Cancel is Keep where a job can end early; it can be pressed once there is a preview to be kept.

    Args:
        gtk: the module `gi.repository.Gtk`, version 3.
        title: of the window.
    """

    def __init__(self, gtk: Any, title: str) -> None:
        super().__init__()
        self._gtk = gtk
        self._title = title
        self._opened = time.monotonic()
        self._text = ""
        self._fraction: float | None = None
        self._stoppable = False
        self._preview: Preview | None = None
        self._drawn: Preview | None = None
        self._window: Any = None
        self._picture: Any = None
        self._label: Any = None
        self._bar: Any = None
        self._keep: Any = None

    def begin(self, stoppable: bool) -> None:
        super().begin(stoppable)
        self._stoppable, self._preview = stoppable, None

    def tell(self, text: str, fraction: float | None) -> None:
        self._text, self._fraction = text, fraction
        self._refresh()

    def show(self, preview: Preview) -> None:
        # Drawn later, by `cancelled`: of several that come at once only the last one.
        self._preview = preview

    def cancelled(self) -> bool:
        self._refresh()
        self._draw()
        return self._cancelled

    def close(self) -> None:
        if self._window is not None:
            self._window.destroy()
            self._window = None
            self._pump()

    def _refresh(self) -> None:
        """Draw the state, and let Gtk handle what happened."""
        if self._window is None:
            if time.monotonic() - self._opened < SHOW_AFTER:
                return
            self._build()
        self._label.set_text(self._words())
        self._keep.set_visible(self._stoppable)
        self._keep.set_sensitive(self._preview is not None and not (self._kept or self._cancelled))
        if self._fraction is None:
            self._bar.pulse()
        else:
            self._bar.set_fraction(min(max(self._fraction, 0.0), 1.0))
        self._pump()

    def _words(self) -> str:
        if self._cancelled:
            return "Cancelling"
        return f"{self._text.partition(chr(10))[0]}\nFinishing with what there is" if self._kept else self._text

    def _draw(self) -> None:
        if self._window is None or self._preview is self._drawn:
            return
        self._drawn = self._preview
        if self._drawn is None:
            self._picture.hide()
            return
        # As a GdkPixbuf, since Gtk's Python has no cairo on some systems.
        from gi.repository import GdkPixbuf, GLib

        rgb, width, height = self._drawn.rgb(2 * PREVIEW_SIDE)
        data = GLib.Bytes.new(rgb)
        large = GdkPixbuf.Pixbuf.new_from_bytes(data, GdkPixbuf.Colorspace.RGB, False, 8, width, height, 3 * width)
        size = self._drawn.pixels(PREVIEW_SIDE)
        self._picture.get_child().set_from_pixbuf(large.scale_simple(*size, GdkPixbuf.InterpType.BILINEAR))
        self._picture.show()
        self._pump()

    def _build(self) -> None:
        gtk = self._gtk
        self._window = window = gtk.Window(title=self._title)
        window.set_default_size(380, -1)
        window.set_resizable(False)
        window.set_keep_above(True)
        window.set_position(gtk.WindowPosition.CENTER_ALWAYS)
        window.set_border_width(16)
        window.connect("delete-event", self._on_cancel)
        box = gtk.Box(orientation=gtk.Orientation.VERTICAL, spacing=12)
        self._picture = gtk.Frame(halign=gtk.Align.CENTER, child=gtk.Image(visible=True), no_show_all=True)
        self._label = gtk.Label(xalign=0.0, width_chars=48, max_width_chars=48, wrap=True)
        self._bar = gtk.ProgressBar()
        buttons = gtk.Box(spacing=8, halign=gtk.Align.END)
        self._keep = gtk.Button(label="Keep this", no_show_all=True)
        self._keep.set_tooltip_text("End now, with the drawing as it is")
        self._keep.connect("clicked", lambda _: self.keep())
        cancel = gtk.Button(label="Cancel")
        cancel.connect("clicked", self._on_cancel)
        for button in (self._keep, cancel):
            buttons.pack_start(button, False, False, 0)
        for child in (self._picture, self._label, self._bar, buttons):
            box.pack_start(child, False, False, 0)
        window.add(box)
        window.show_all()

    def _on_cancel(self, *_: Any) -> bool:
        self.cancel()
        return True  # "delete-event" is handled: the window stays until the job has ended.

    def _pump(self) -> None:
        while self._gtk.events_pending():
            self._gtk.main_iteration_do(False)


def open_window(title: str) -> Window:
    """A progress window where there can be one."""
    gtk = None if os.environ.get("TESSERA_NO_WINDOW") else _gtk()
    return Window() if gtk is None else GtkWindow(gtk, title)


def _gtk() -> Any:
    """Gtk 3, ready to draw, or None."""
    # The accessibility bus is seldom there for an effect, and its absence is reported at length.
    os.environ.setdefault("NO_AT_BRIDGE", "1")
    try:
        import gi

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gi.require_version("Gtk", "3.0")
            from gi.repository import Gtk
    except (ImportError, ValueError):
        # No PyGObject, or no Gtk 3 for it: an effect works without a window, too.
        return None
    ready = Gtk.init_check([])
    return Gtk if (ready[0] if isinstance(ready, tuple) else ready) else None
