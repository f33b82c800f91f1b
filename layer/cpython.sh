#!/bin/sh
# An interpreter for the layer from CPython's source: cpython.sh VERSION SHA256 SOURCE FOLDER [--optimised]
#
# SOURCE is python.org's archive Python-VERSION.tar.xz (or Debian's python3.X_VERSION.orig.tar.xz, which is the same
# file), SHA256 its hash: another archive is refused. FOLDER is made: give it to `handlerkit layer build --interpreter`.
# --optimised compiles with profiles and link-time optimisation: a third faster, ten times as long (20 to 40 minutes).
#
# Needs a C compiler, make, and the headers of OpenSSL, SQLite, libffi, bzip2, xz, uuid and zlib. Their libraries are
# copied into the layer by the build. AR, CC and the like are honoured, so that `CC="zig cc -target
# aarch64-linux-gnu.2.34"` builds for the other architecture (with CONFIGURE="--host=... --build=... --with-build-python=...").
set -eu

say() { echo "cpython.sh: $1" >&2; }

if [ $# -lt 4 ]; then
    say "call it as cpython.sh VERSION SHA256 SOURCE FOLDER [--optimised]"
    exit 2
fi
version=$1 sha256=$2 source=$3 folder=$4 optimised=${5:-}
case $version in
    3.1[1-9].*) ;;
    *) say "$version is not a version of CPython from 3.11: give all three numbers"; exit 2 ;;
esac
[ -f "$source" ] || { say "no source archive $source"; exit 2; }
if [ -e "$folder" ]; then say "$folder is there already: remove it, or name another"; exit 2; fi
found=$(sha256sum "$source" | cut -d' ' -f1)
if [ "$found" != "$sha256" ]; then say "$source has the hash $found, not $sha256"; exit 2; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
tar -xf "$source" -C "$work" --strip-components=1
cd "$work"

# Newer C libraries have a hypot of version 2.35, which the base (2.34) lacks; the old one does the same.
case ${HOST_MACHINE:-$(uname -m)} in
    aarch64 | arm64) old=GLIBC_2.17 ;;
    *) old=GLIBC_2.2.5 ;;
esac
cat > oldhypot.c <<C
double hypot_of_old(double, double);
__asm__(".symver hypot_of_old,hypot@$old");
double __wrap_hypot(double x, double y);
double __wrap_hypot(double x, double y) { return hypot_of_old(x, y); }
C
${CC:-cc} -O2 -fPIC -c oldhypot.c -o oldhypot.o

options="--prefix=/opt/cpython --disable-shared --without-ensurepip --disable-test-modules --without-static-libpython"
case $optimised in
    --optimised) options="$options --enable-optimizations --with-lto" ;;
    "") ;;
    *) say "$optimised is no option: there is --optimised"; exit 2 ;;
esac
say "configuring CPython $version"
# The library path, twice to leave room for the layer's, is an RPATH, which counts for all that the program loads.
# shellcheck disable=SC2086
./configure $options ${CONFIGURE:-} \
    MODULE_BUILDTYPE=static \
    LDFLAGS="-Wl,--wrap=hypot -Wl,--disable-new-dtags -Wl,-rpath,/opt/cpython/lib:/opt/cpython/lib ${LDFLAGS:-}" \
    LIBS="$work/oldhypot.o -lm" \
    py_cv_module__tkinter=n/a py_cv_module__curses=n/a py_cv_module__curses_panel=n/a py_cv_module_readline=n/a \
    py_cv_module__dbm=n/a py_cv_module__gdbm=n/a py_cv_module_nis=n/a > configure.log 2>&1 \
    || { tail -n 20 configure.log >&2; exit 1; }
# What needs a library that the base does not have stays a file of its own; everything else is linked in (from 3.12 on;
# 3.11 makes a file of each).
apart='^(_ssl|_hashlib|_ctypes|_sqlite3|_bz2|_lzma|_uuid) '
if grep -q '^\*static\*' Modules/Setup.stdlib; then
    { grep -vE "$apart" Modules/Setup.stdlib; echo '*shared*'; grep -E "$apart" Modules/Setup.stdlib; } > Setup.new
    mv Setup.new Modules/Setup.stdlib
fi
say "compiling"
make -j"$(nproc 2>/dev/null || echo 2)" > make.log 2>&1 || { tail -n 20 make.log >&2; exit 1; }
make install DESTDIR="$work/made" > install.log 2>&1 || { tail -n 20 install.log >&2; exit 1; }
mkdir -p "$(dirname "$folder")"
mv "$work/made/opt/cpython" "$folder"
say "made $folder: handlerkit layer build --interpreter $folder"
