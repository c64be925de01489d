"""The pages of `fastgd play` as pictures of the docs, docs/pictures/play-*.png: `python scripts/play_pictures.py [--out FOLDER]`.

It takes Chromium and, from `pip install 'fastgd[test]'`, Playwright and Pillow. What is seen depends on how far the machine has come in a
moment; the settings are the same.
"""

import argparse
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Page, sync_playwright

MOST_BYTES = 60_000  # of a picture, which has fewer colours where it would be larger
SIDES = [[-0.76, 0.71, 0], [-0.62, 0.66, 0], [-0.71, 0.57, 0], [0.44, -0.59, 0], [0.62, -0.71, 0], [-0.1, 0.05, 1], [0.1, -0.1, 1]]
SIDES += [[-0.7, -0.5, 0], [-0.55, -0.7, 0], [0.6, 0.65, 0], [0.75, 0.5, 0], [0.0, 0.45, 1], [0.05, -0.5, 1], [0.3, 0.1, 1], [-0.3, 0.0, 1]]
TANH = {"hidden": [[16, "tanh"], [16, "tanh"]], "learning_rate": 0.01, "optimizer": "adam"}
RACE = {"data": "nand", "hidden": [], "learning_rate": 0.1, "methods": ["backprop", "layerwise", "finite_difference"]}
STATES = {
    "xor": ({"epochs": 5_000_000}, 1100, 780, "light", None),
    "spiral": ({"data": "spiral", "epochs": 4_000, **TANH}, 1100, 780, "dark", None),
    "race": ({"epochs": 8_000_000, **RACE}, 1100, 700, "light", "#costs"),
    "points": ({"data": "points", "points": SIDES, "epochs": 2_000, **TANH}, 1100, 780, "light", None),
    "phone": ({"data": "moons", "noise": 0.1, "epochs": 2_000, **TANH}, 360, 800, "dark", None),
}


def trained(page: Page, address: str, settings: dict[str, object], below: str | None) -> bytes:
    """The page once all epochs are done, from its top or from `below` on."""
    page.goto(f"{address}#{urlencode({name: json.dumps(value) for name, value in settings.items()})}")
    page.wait_for_selector("body[data-status]")
    page.click("#run")
    page.wait_for_selector("body[data-status=done]")
    if below:
        page.locator(below).evaluate("(each) => scrollTo(0, each.closest('section').offsetTop - 70)")
    page.wait_for_timeout(300)
    return page.screenshot()


def small(picture: Image.Image) -> bytes:
    """As PNG, of as many colours as there is room for."""
    for colours in (192, 128, 96, 64, 48, 32):
        file = io.BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(file, "png", optimize=True)
        if file.tell() <= MOST_BYTES:
            break
    return file.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "docs" / "pictures")
    options = parser.parse_args()
    with subprocess.Popen([sys.executable, "-m", "fastgd", "play", "--no-browser"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
            for name, (settings, width, height, scheme, below) in STATES.items():
                page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                picture = Image.open(io.BytesIO(trained(page, address, settings, below))).convert("RGB")
                file = options.out / f"play-{name}.png"
                file.write_bytes(small(picture))
                print(f"{file}: {file.stat().st_size:,} bytes")
                page.close()
        server.terminate()


if __name__ == "__main__":
    main()
