#!/usr/bin/env python3
"""Draws a line of text as a picture to read:  draw_line.py "some text" picture.png"""
import sys

from PIL import Image, ImageDraw, ImageFont


def draw(text, path, size=32, margin=8):
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("RGB", (int(right - left) + 2 * margin, 48), (236, 238, 233))
    ImageDraw.Draw(image).text((margin - left, 4), text, fill=(32, 34, 48), font=font)
    image.save(path)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    draw(sys.argv[1], sys.argv[2])
