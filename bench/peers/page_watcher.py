"""Somebody who looks at a page as often as there is something new: `page_watcher.py ADDRESS SECONDS` prints how many frames were seen."""

import http.client
import json
import sys
import time
from urllib.parse import urlsplit

address, last = urlsplit(sys.argv[1]), time.monotonic() + float(sys.argv[2])
connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)  # one for all, as a browser has it
seen = after = 0
while time.monotonic() < last:
    try:
        connection.request("GET", f"{address.path}frame?after={after}&x=0&y=1")
        frame = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException):  # it has ended
        break
    if "version" not in frame:
        break
    after = frame["version"] + 1
    seen += "racers" in frame
print(seen)
