"""Files of a folder in one: python pack.py FOLDER OUT_FILE NAME..."""
import base64, gzip, json, os, sys

files = {name: base64.b64encode(open(os.path.join(sys.argv[1], name), "rb").read()).decode() for name in sys.argv[3:]}
with gzip.GzipFile(sys.argv[2], "wb", mtime=0) as out:
    out.write(json.dumps(files).encode())
