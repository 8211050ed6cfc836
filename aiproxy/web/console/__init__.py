"""The web console at `/console/`: static files that show and change things by the management API, and by nothing else.

What belongs here: serving the files of `static/`. They are plain HTML, CSS and ES modules without a build step; nothing is fetched
from elsewhere, and a strict Content-Security-Policy says so. `static/main.js` is where to begin reading: it signs in, draws the
frame and loads a module of `static/pages/` for each page. What a page shows is the API's; a page has no knowledge of its own."""

from aiproxy.web.console.console import ROOT, Console

__all__ = ["ROOT", "Console"]
