"""How a script and the test that started it talk: the argument is a JSON object of what the script is to know; open_page()
has the test open a page as a user would, and returns the address where the user ends."""

import json
import sys

given = json.loads(sys.argv[1])


def open_page(url):
    print(json.dumps({"open": url}), flush=True)
    return json.loads(sys.stdin.readline())


def done():
    print(json.dumps({"done": True}), flush=True)
