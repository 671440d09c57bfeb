#!/usr/bin/env bash
# Installs what the build and the tests need: Debian packages where some are missing, and pinned Python packages in
# .venv. Does nothing that is done already.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(llvm-22-dev libmlir-22-dev mlir-22-tools clang-22 lld-22 liblld-22-dev libclang-rt-22-dev clang-format-22
          libprotobuf-dev protobuf-compiler libgtest-dev libgmock-dev libzstd-dev zlib1g-dev ninja-build cmake
          python3-dev python3-venv gcc libc6-dev pkgconf)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if ((${#missing[@]})); then
  if [ "$(id -u)" -ne 0 ]; then
    echo "setup: these Debian packages are missing, and installing them needs root:" >&2
    echo "  apt-get install ${missing[*]}" >&2
    exit 1
  fi
  echo "setup: installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

stamp=.venv/requirements.sha256
wanted=$(sha256sum python/requirements-dev.txt)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  echo "setup: installing python/requirements-dev.txt into .venv"
  # Debian's interpreter by its path: another may come first on PATH.
  [ -x .venv/bin/python ] || /usr/bin/python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r python/requirements-dev.txt
  echo "$wanted" > "$stamp"
fi
# Programs of .venv find the package where the build puts it.
echo ../../../../build/python > "$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/tenon.pth"
