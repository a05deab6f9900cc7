"""Packs files that TensorFlow wrote, for tests: python pack_files.py FOLDER OUT.json.gz PATTERN... (names relative to FOLDER, contents base64)"""
import base64
import glob
import gzip
import json
import os
import sys

folder, out, *patterns = sys.argv[1:]
names = sorted({name for pattern in patterns for name in glob.glob(pattern, root_dir=folder, recursive=True)})
held = {name: base64.b64encode(open(os.path.join(folder, name), "rb").read()).decode() for name in names if os.path.isfile(os.path.join(folder, name))}
with gzip.GzipFile(out, "wb", mtime=0) as file:
    file.write(json.dumps(held, indent=0).encode())
