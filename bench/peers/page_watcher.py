"""Somebody who looks at a page as often as there is something new: `page_watcher.py ADDRESS SECONDS` prints how many frames were seen."""

import json
import sys
import time
import urllib.request

address, last = sys.argv[1], time.monotonic() + float(sys.argv[2])
seen = after = 0
while time.monotonic() < last:
    try:
        with urllib.request.urlopen(f"{address}frame?after={after}&x=0&y=1", timeout=60) as answer:
            frame = json.load(answer)
    except OSError:  # it has ended
        break
    after = frame["version"] + 1
    seen += "racers" in frame
print(seen)
