"""Run as a program of its own: the text of one file, to standard output, within limits.

    python -I extraction.py FILE MEDIA_TYPE MEMORY_BYTES CPU_SECONDS TEXT_CHARS

What reads files from outside may run wild; here that ends this process and nothing else. It gets
nothing of the site's environment. The PDF library unpacks itself into TMPDIR the first time.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

WRITTEN_BYTES = 64 * 1024 * 1024


def main() -> None:
    file, media_type, *numbers = sys.argv[1:]
    memory_bytes, cpu_seconds, text_chars = map(int, numbers)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (WRITTEN_BYTES, WRITTEN_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    text = extracted(Path(file).read_bytes(), media_type)
    sys.stdout.buffer.write(text[:text_chars].encode("utf-8", "replace"))


def extracted(data: bytes, media_type: str) -> str:
    from kreuzberg import ExtractionConfig, extract_bytes_sync  # noqa: PLC0415 - after the limits

    config = ExtractionConfig(use_cache=False, disable_ocr=True)  # type: ignore[call-arg]
    return str(extract_bytes_sync(data, media_type, config).content)


if __name__ == "__main__":
    main()
