#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the files of a release and what packaging/ has, and uses each as others would.

usage: check_packages.py SOURCE VERSION dist|debian|vcpkg

dist: the archive is built as a subproject by its wrap file, without a network; the amalgamation is
compiled into a program. debian: dpkg-buildpackage, without tests, and lintian has nothing to say.
vcpkg: its functions are here replaced by what they do for a CMake project. Skipped where the tools
are missing, or the sources are no clone.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from commands import require, run

SKIP = 77
PORT_FUNCTIONS = '''
function(vcpkg_check_features)
  set(options -DVERYFAST_CHECKED=ON PARENT_SCOPE)
endfunction()
function(vcpkg_cmake_configure)
  cmake_parse_arguments(it "" SOURCE_PATH OPTIONS ${ARGN})
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${it_SOURCE_PATH} -B ${BUILD} ${it_OPTIONS}
    -DCMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR} -DCMAKE_INSTALL_LIBDIR=lib
    COMMAND_ERROR_IS_FATAL ANY)
endfunction()
function(vcpkg_cmake_install)
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} --target install
    COMMAND_ERROR_IS_FATAL ANY)
endfunction()
function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(it "" CONFIG_PATH "" ${ARGN})
  file(MAKE_DIRECTORY ${CURRENT_PACKAGES_DIR}/share)
  file(RENAME ${CURRENT_PACKAGES_DIR}/${it_CONFIG_PATH} ${CURRENT_PACKAGES_DIR}/share/${PORT})
endfunction()
function(vcpkg_install_copyright)
  cmake_parse_arguments(it "" "" FILE_LIST ${ARGN})
  file(INSTALL ${it_FILE_LIST} DESTINATION ${CURRENT_PACKAGES_DIR}/share/${PORT} RENAME copyright)
endfunction()
'''


def skip(reason):
    print(f'skipped: {reason}')
    sys.exit(SKIP)


def release(source, version, directory):
    """The files of a release: the archive's path."""
    if shutil.which('git') is None or subprocess.run(
            ['git', '-C', source, 'rev-parse', 'HEAD'], capture_output=True).returncode != 0:
        skip('no git, or no clone that it reads')
    run([sys.executable, source / 'tools' / 'dist.py', source, directory])
    archive = directory / f'veryfast-{version}.tar.xz'
    require(archive.exists(), f'made are {[path.name for path in directory.iterdir()]}')
    return archive


def extract(archive, directory):
    with tarfile.open(archive) as tar:
        tar.extractall(directory)


def check_dist(source, version, directory):
    archive = release(source, version, directory / 'release')
    run(['sha256sum', '--check', 'SHA256SUMS'], cwd=archive.parent)
    consumer = directory / 'consumer'
    shutil.copytree(source / 'tests' / 'consumer', consumer)
    (consumer / 'subprojects' / 'packagefiles').mkdir(parents=True)
    shutil.copy(archive, consumer / 'subprojects' / 'packagefiles')
    shutil.copy(archive.parent / 'veryfast.wrap', consumer / 'subprojects')
    run(['meson', 'setup', directory / 'build', consumer, '--wrap-mode=nodownload',
         '--force-fallback-for=veryfast'])
    run(['ninja', '-C', directory / 'build', 'consumer'])
    require(run([directory / 'build' / 'consumer']).strip() == version, 'another version is built')
    extract(archive.with_name(f'veryfast-{version}-amalgamated.tar.xz'), directory)
    run(['cc', '-std=c11', f'-I{directory}', consumer / 'main.c', directory / 'veryfast/veryfast.c',
         '-o', directory / 'program', '-pthread'])
    require(run([directory / 'program']).strip() == version, 'another version is amalgamated')


def check_debian(source, version, directory):
    for tool in 'dpkg-buildpackage', 'dh', 'lintian':
        if shutil.which(tool) is None:
            skip(f'no {tool}')
    archive = release(source, version, directory / 'release')
    extract(archive, directory)
    tree = directory / f'veryfast-{version}'
    shutil.copy(archive, directory / f'veryfast_{version}.orig.tar.xz')
    shutil.copytree(tree / 'packaging' / 'debian', tree / 'debian')
    missing = subprocess.run(['dpkg-checkbuilddeps'], cwd=tree, capture_output=True, text=True)
    if missing.returncode != 0:
        skip(missing.stderr)
    run(['dpkg-buildpackage', '-us', '-uc'], cwd=tree,
        env={**os.environ, 'DEB_BUILD_OPTIONS': 'nocheck parallel=2'})
    changes, = directory.glob('*.changes')
    # only Debian knows the number of the report that asks for the package
    run(['lintian', '--allow-root', '--fail-on', 'error,warning', '--suppress-tags',
         'initial-upload-closes-no-bugs', changes])
    library, = directory.glob('libveryfast1_*.deb')
    names = re.findall(r' \./(.*[^/])$', run(['dpkg-deb', '-c', library]), re.M)
    require(any(name.endswith(f'libveryfast.so.{version}') for name in names), f'it has {names}')


def check_vcpkg(source, version, directory):
    if shutil.which('cmake') is None:
        skip('no cmake')
    port = source / 'packaging' / 'vcpkg' / 'veryfast'
    says = json.loads((port / 'vcpkg.json').read_text())
    require(says['version'] == version and says['license'] == 'MIT', f'vcpkg.json: {says}')
    # the port finds its tree by where it lies
    functions, packages = directory / 'functions.cmake', directory / 'packages'
    functions.write_text(PORT_FUNCTIONS + f'include({port}/portfile.cmake)\n')
    run(['cmake', '-DPORT=veryfast', f'-DCURRENT_PACKAGES_DIR={packages}',
         f'-DBUILD={directory}/build', '-P', functions])
    made = {str(path.relative_to(packages)) for path in packages.rglob('*') if path.is_file()}
    for name in ['lib/libveryfast.a', 'share/veryfast/veryfastConfig.cmake',
                 'share/veryfast/copyright', 'share/veryfast/usage', 'include/veryfast/pool.h']:
        require(name in made, f'the port makes no {name}, but {made}')


def main():
    source, version, kind = Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3]
    with tempfile.TemporaryDirectory() as temporary:
        {'dist': check_dist, 'debian': check_debian,
         'vcpkg': check_vcpkg}[kind](source, version, Path(temporary))


main()
