#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Uses the source tree with CMake alone.

usage: check_cmake.py SOURCE VERSION CC

As a subdirectory of a parent that warns of everything, defines what the sources define, has a
plug-in, a checked program and a library that it installs and exports, with the library static and
shared; what was installed serves another project. And installed by itself.
"""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from commands import require, run

SKIP = 77
PARENT = '''
cmake_minimum_required(VERSION 3.13)
project(parent C)
add_definitions(-D_GNU_SOURCE -D_POSIX_C_SOURCE=200809L)
add_compile_options(-Wall -Wextra -Werror)
add_subdirectory({source} veryfast)
add_executable(consumer {consumer}/main.c)
target_link_libraries(consumer veryfast::veryfast)
add_executable(declared {consumer}/declared.c)
target_link_libraries(declared veryfast::veryfast)
veryfast_instances(declared {consumer}/declared.h {consumer}/declared_too.h)
add_executable(checked {consumer}/main.c)
target_link_libraries(checked veryfast::checked)
add_executable(host {consumer}/host.c)
set_target_properties(host PROPERTIES ENABLE_EXPORTS ON)
target_link_libraries(host veryfast::veryfast ${{CMAKE_DL_LIBS}})
add_library(plugin MODULE {consumer}/plugin.c)
target_link_libraries(plugin veryfast::veryfast)
add_library(parent STATIC {consumer}/plugin.c)
target_link_libraries(parent PUBLIC veryfast::veryfast)
install(TARGETS consumer parent EXPORT parentTargets
  RUNTIME DESTINATION bin ARCHIVE DESTINATION lib)
install(EXPORT parentTargets DESTINATION lib/cmake/parent)
file(WRITE ${{CMAKE_CURRENT_BINARY_DIR}}/parentConfig.cmake "
include(CMakeFindDependencyMacro)
find_dependency(veryfast)
include(\\${{CMAKE_CURRENT_LIST_DIR}}/parentTargets.cmake)")
install(FILES ${{CMAKE_CURRENT_BINARY_DIR}}/parentConfig.cmake DESTINATION lib/cmake/parent)
'''
CHILD = '''
cmake_minimum_required(VERSION 3.13)
project(child C)
find_package({package} REQUIRED)
add_executable(child {consumer}/main.c)
target_link_libraries(child {target})
add_executable(declared {consumer}/declared.c)
target_link_libraries(declared {target})
veryfast_instances(declared {consumer}/declared.h {consumer}/declared_too.h)
'''


def cmake(project, build, cc, *options):
    run(['cmake', '-S', project, '-B', build, f'-DCMAKE_C_COMPILER={cc}', *options])
    run(['cmake', '--build', build])


def write_project(directory, text, **names):
    directory.mkdir()
    (directory / 'CMakeLists.txt').write_text(text.format(**names))
    return directory


def check_version(program, version, **options):
    said = run([program], **options).strip()
    require(said == version, f'{program} says {said}')


def check_exports(library, source):
    """What Meson's has without epochs."""
    maps = ['veryfast.map', *(['checked.map'] if 'checked' in library.name else [])]
    run([sys.executable, source / 'tests' / 'check_symbols.py', library,
         *(source / 'src' / name for name in maps)])


def check_parent(source, version, cc, directory, shared):
    prefix, build = directory / 'prefix', directory / 'build'
    consumer = source / 'tests' / 'consumer'
    project = write_project(directory / 'parent', PARENT, source=source, consumer=consumer)
    cmake(project, build, cc, f'-DBUILD_SHARED_LIBS={shared}', f'-DCMAKE_INSTALL_PREFIX={prefix}',
          '-DCMAKE_INSTALL_LIBDIR=lib')
    for program in 'consumer', 'checked':
        check_version(build / program, version)
    run([build / 'declared'])
    names = run(['nm', build / 'checked'])
    require('vf_interface_1_checked' in names, 'veryfast::checked is not checked')
    end = 'so' if shared == 'ON' else 'a'
    for library in 'libveryfast', 'libveryfast-checked':
        path = build / 'veryfast' / f'{library}.{end}'
        require(path.exists(), f'BUILD_SHARED_LIBS={shared}: {path.name} is not there')
        if shared == 'ON':
            check_exports(path, source)
    run([build / 'host', build / 'libplugin.so', 'shared' if shared == 'ON' else 'own'])
    run(['cmake', '--install', build])
    check_version(prefix / 'bin' / 'consumer', version,
                  env={**os.environ, 'LD_LIBRARY_PATH': str(prefix / 'lib')})
    project = write_project(directory / 'child', CHILD, package='parent', target='parent',
                            consumer=consumer)
    cmake(project, directory / 'child-build', cc, f'-DCMAKE_PREFIX_PATH={prefix}')
    check_version(directory / 'child-build' / 'child', version)


def check_installed(source, version, cc, directory):
    prefix, consumer = directory / 'alone', source / 'tests' / 'consumer'
    cmake(source, directory / 'alone-build', cc, f'-DCMAKE_INSTALL_PREFIX={prefix}',
          '-DCMAKE_INSTALL_LIBDIR=lib')
    run(['cmake', '--install', directory / 'alone-build'])
    headers = {str(path.relative_to(source)) for path in (source / 'include').rglob('*.h*')}
    there = {str(path.relative_to(prefix)) for path in (prefix / 'include').rglob('*.h*')}
    require(headers == there, f'the headers are {there}, not {headers}')
    series = re.match(r'\d+\.\d+', version)[0]
    for target in 'veryfast', 'checked':
        project = write_project(directory / f'uses-{target}', CHILD, package=f'veryfast {series}',
                                target=f'veryfast::{target}', consumer=consumer)
        build = directory / f'build-{target}'
        cmake(project, build, cc, f'-DCMAKE_PREFIX_PATH={prefix}')
        check_version(build / 'child', version)
        run([build / 'declared'])
    project = write_project(directory / 'older', CHILD, package='veryfast 0.3', consumer=consumer,
                            target='veryfast::veryfast')
    result = subprocess.run(['cmake', '-S', project, '-B', directory / 'older-build',
                             f'-DCMAKE_C_COMPILER={cc}', f'-DCMAKE_PREFIX_PATH={prefix}'],
                            capture_output=True, text=True)
    require(result.returncode != 0 and 'compatible' in result.stderr, 'a 0.3 is found')


def main():
    source, version, cc = Path(sys.argv[1]).resolve(), sys.argv[2], shlex.split(sys.argv[3])[0]
    if shutil.which('cmake') is None:
        print('skipped: no cmake')
        sys.exit(SKIP)
    with tempfile.TemporaryDirectory() as temporary:
        for shared in 'OFF', 'ON':
            directory = Path(temporary, shared)
            directory.mkdir()
            check_parent(source, version, cc, directory, shared)
        check_installed(source, version, cc, Path(temporary))


main()
