"""A guest book: pages with a form, a JSON API, and talk over WebSocket. Starlette; it knows no enclave."""

from html import escape

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

MOST_ENTRIES, MOST_LETTERS = 200, 500


class GuestBook:
    def __init__(self, page, assets):
        self.page = page
        self.entries = []
        self.talking = set()
        self.app = Starlette(
            routes=[
                Route("/", self.show),
                Route("/sign", self.sign, methods=["POST"]),
                Route("/api/entries", self.listed),
                Route("/api/entries", self.added, methods=["POST"]),
                WebSocketRoute("/talk", self.talk),
                Mount("/", assets),
            ]
        )

    def write(self, name, words):
        name, words = name.strip()[:MOST_LETTERS] or "somebody", words.strip()[:MOST_LETTERS]
        if words:
            self.entries.insert(0, {"name": name, "words": words})
            del self.entries[MOST_ENTRIES:]
        return bool(words)

    async def show(self, request):
        entries = "".join(
            f"<article><p>{escape(entry['words'])}</p><footer>{escape(entry['name'])}</footer></article>\n"
            for entry in self.entries
        )
        return HTMLResponse(self.page.replace("{{entries}}", entries or "<p>Nobody yet.</p>"))

    async def sign(self, request):
        form = await request.form(max_files=0)
        self.write(str(form.get("name", "")), str(form.get("words", "")))
        return RedirectResponse("/", status_code=303)

    async def listed(self, request):
        return JSONResponse(self.entries)

    async def added(self, request):
        try:
            entry = await request.json()
            written = self.write(str(entry["name"]), str(entry["words"]))
        except (ValueError, LookupError, TypeError):
            written = False
        return JSONResponse({"written": written}, status_code=201 if written else 422)

    async def talk(self, socket):
        await socket.accept()
        self.talking.add(socket)
        try:
            while True:
                words = (await socket.receive_text())[:MOST_LETTERS]
                for other in list(self.talking):
                    await other.send_text(words)
        except WebSocketDisconnect:
            pass
        finally:
            self.talking.discard(socket)
