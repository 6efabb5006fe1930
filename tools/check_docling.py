#!/usr/bin/env python3
"""Does docling-core accept what weft export -f docling writes?

    weft export -o OUT -f docling --to FOLDER
    tools/check_docling.py FOLDER/*.docling.json

Needs docling-core (PyPI); 2.104 was tried. Prints what each document holds, and the first words of it as
docling's Markdown; exit 1 when one is refused.
"""
import sys

from docling_core.types.doc import DoclingDocument


def main():
    n_refused = 0
    for path in sys.argv[1:]:
        try:
            with open(path, encoding="utf-8") as file:
                document = DoclingDocument.model_validate_json(file.read())
        except ValueError as error:
            print(f"{path}: refused: {error}")
            n_refused += 1
            continue
        words = " ".join(document.export_to_markdown().split())[:60]
        print(f"{path}: {len(document.pages)} pages, {len(document.texts)} texts, {len(document.tables)} tables, "
              f"{len(document.pictures)} pictures: {words}")
    sys.exit(1 if n_refused else 0)


main()
