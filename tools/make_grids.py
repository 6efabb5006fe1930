#!/usr/bin/env python3
"""Writes kernels/blocks_grids.h: the points that IQ2_XXS and IQ3_XXS choose from.

    python tools/make_grids.py > kernels/blocks_grids.h

The tables are part of the formats; they are read from the `gguf` package.
"""
import importlib.metadata

from gguf.quants import IQ2_XXS, IQ3_XXS


def rows_of(format):
    format.init_grid()
    return format.grid.reshape(format.grid_shape).astype(int)


def print_table(name, comment, rows):
    print(f"/* {comment} */\nstatic const uint8_t {name}[{rows.shape[0]}][{rows.shape[1]}] = {{")
    line = "\t"
    for row in rows:
        item = "{" + ", ".join(map(str, row)) + "}, "
        if len(line) + len(item) > 90:
            print(line.rstrip())
            line = "\t"
        line += item
    print(line.rstrip() + "\n};")


def main():
    print("/* blocks_grids.h - the points of IQ2_XXS and IQ3_XXS, tables of the formats.\n"
          f" * Made by tools/make_grids.py with gguf {importlib.metadata.version('gguf')}. */\n"
          "#ifndef WEFT_KERNELS_BLOCKS_GRIDS_H\n#define WEFT_KERNELS_BLOCKS_GRIDS_H\n\n"
          "#include <stdint.h>\n")
    print_table("weft_iq2_xxs_grid", "Sizes of eight numbers.", rows_of(IQ2_XXS))
    print()
    print_table("weft_iq3_xxs_grid", "Sizes of four numbers.", rows_of(IQ3_XXS))
    print("\n#endif")


main()
