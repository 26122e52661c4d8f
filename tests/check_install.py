#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs a fresh build of the source tree and uses it as others would.

usage: check_install.py SOURCE VERSION CC MESON both|shared|static

Builds and runs the consumer through pkg-config, Meson and CMake (where that is), and one that uses
the epoch backend (where the build has it); opens plug-ins that have the library inside or beside
them; looks at what was installed, builds it a second time elsewhere, and tries headers of another
interface, which must not link.
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

LIBRARIES = ['veryfast', 'veryfast-checked']

JOB = '''
struct job {
    int number;
};
#define VF_T struct job
#define VF_N 64
#include <veryfast/pool.h>
static pool_job_64 *pool;
struct job *new_job(void);
void end_job(struct job *job);
void run_job(struct job *job);
int main(void)
{
    pool = pool_job_64_new(NULL);
    struct job *job = new_job();
    end_job(job);
    run_job(job);
}
#line 12
struct job *new_job(void) { return pool_job_64_alloc(pool); }
#line 31
void run_job(struct job *job) { pool_job_64_free(pool, job); }
#line 40
void end_job(struct job *job) { pool_job_64_free(pool, job); }
'''


class Installed:
    """A build of the source tree, installed below a directory."""

    def __init__(self, source, temporary, cc, meson, kind):
        self.cc, self.meson, self.kind, self.temporary = shlex.split(cc), meson, kind, temporary
        self.source, self.consumer = Path(source), Path(source, 'tests', 'consumer')
        self.prefix = temporary / 'prefix'
        self.build(source, temporary / 'build', cc)
        self.env = {**os.environ, 'CC': cc, 'LD_LIBRARY_PATH': str(self.prefix / 'lib'),
                    'PKG_CONFIG_PATH': str(self.prefix / 'lib' / 'pkgconfig')}

    def build(self, source, build, cc, *destination, options=()):
        # the shared libraries for a loader that asks for it
        tls_model = 'global-dynamic' if self.kind == 'shared' else 'auto'
        run([*shlex.split(self.meson), 'setup', build, source, f'--prefix={self.prefix}',
             '--libdir=lib', f'-Ddefault_library={self.kind}', f'-Dtls_model={tls_model}',
             '-Dtests=disabled', '-Dexamples=disabled', '-Dbench=disabled', *options],
            env={**os.environ, 'CC': cc})
        run([*shlex.split(self.meson), 'install', '-C', build, *destination])

    def files(self):
        return {str(path.relative_to(self.prefix))
                for path in self.prefix.rglob('*') if not path.is_dir()}

    def pkg_config(self, *flags, library='veryfast'):
        return shlex.split(run(['pkg-config', *flags, library], env=self.env))

    def build_consumer(self, flags, source='main.c'):
        program = self.temporary / 'consumer'
        run([*self.cc, '-std=c11', self.consumer / source, '-o', program, *flags], env=self.env)
        return run([program], env=self.env).strip()


def check_files(installed, version):
    headers = {name for name in installed.files() if name.startswith('include/')}
    public = {str(path.relative_to(installed.source))
              for path in (installed.source / 'include').rglob('*.h*')}
    require(headers == public, f'of the headers {public ^ headers} are there only once')
    expected = {'bin/veryfast-where',
                'lib/cmake/veryfast/veryfastConfig.cmake',
                'lib/cmake/veryfast/veryfastConfigVersion.cmake',
                'lib/cmake/veryfast/veryfastInstances.cmake',
                'share/man/man1/veryfast-where.1',
                'share/veryfast/veryfast-gdb.py', 'share/veryfast/veryfast-instances',
                'share/veryfast/veryfast_lldb.py', 'share/veryfast/veryfast.natvis'}
    for library in LIBRARIES:
        expected |= {f'lib/pkgconfig/{library}.pc'}
        if installed.kind != 'static':
            expected |= {f'lib/lib{library}.so{end}' for end in ['', '.1', f'.{version}']}
        if installed.kind != 'shared':
            expected |= {f'lib/lib{library}.a'}
    if installed.kind != 'static':
        expected |= {f'share/gdb/auto-load{installed.prefix}/lib/libveryfast.so.{version}-gdb.py'}
    others = installed.files() - headers
    require(others == expected, f'installed are {others}, not {expected}')


def check_tags(installed, version):
    """What a package of the shared library has, and what one for programs that are compiled."""
    runtime = {f'lib/libveryfast.so{end}' for end in ['.1', f'.{version}']}
    for tags, expected in {'runtime': runtime, 'devel,man': installed.files() - runtime}.items():
        stage = installed.temporary / tags
        run([*shlex.split(installed.meson), 'install', '-C', installed.temporary / 'build',
             f'--tags={tags}', f'--destdir={stage}'])
        top = stage / installed.prefix.relative_to('/')
        files = {str(path.relative_to(top)) for path in top.rglob('*') if not path.is_dir()}
        require(files == expected, f'with the tag {tags} installed are {files}, not {expected}')


def check_without_checked(installed, source, cc):
    """-Dchecked=disabled leaves all out that is its own."""
    build, stage = installed.temporary / 'ordinary', installed.temporary / 'ordinary-stage'
    installed.build(source, build, cc, f'--destdir={stage}', options=['-Dchecked=disabled'])
    names = {path.name for path in stage.rglob('*') if not path.is_dir()}
    stray = {name for name in names if 'checked' in name or 'where' in name}
    require(stray == {'checked.h', 'pool_checked.h', 'smallbuf_checked.h'},
            f'without the checked library installed is {stray}')


def check_headers_are_those_of_the_source(installed, source):
    for header in Path(source, 'include', 'veryfast').rglob('*.h*'):
        copy = installed.prefix / header.relative_to(source)
        require(copy.exists(), f'{header} is not installed')
        require(copy.read_bytes() == header.read_bytes(), f'{copy} differs from {header}')


def check_soname(installed):
    """It has the number of the interface, as the versions of the symbols have."""
    config = installed.prefix / 'include' / 'veryfast' / 'detail' / 'config.h'
    interface = re.search(r'^extern VF_API_DATA const char vf_interface_(\d+);$', config.read_text(), re.M)[1]
    for library in LIBRARIES:
        said = run(['readelf', '-d', installed.prefix / 'lib' / f'lib{library}.so'])
        soname = f'lib{library}.so.{interface}'
        require(f'Library soname: [{soname}]' in said, f'the soname of {library}:\n{said}')
        said = run(['nm', '-D', '--defined-only', installed.prefix / 'lib' / soname])
        versions = set(re.findall(r'@@(VERYFAST_\w+)', said))
        require(versions and all(name.endswith(f'_{interface}') for name in versions),
                f'the versions of the symbols of {library}: {versions}')


def check_second_build(installed, cc):
    """From a copy of the sources, staged by DESTDIR: each file comes out the same. Information for
    debuggers, which a release has only if CFLAGS ask for it, would name the directories."""
    copy, stage = installed.temporary / 'second' / 'copy', installed.temporary / 'stage'
    for name in ['src', 'include', 'tools']:
        shutil.copytree(installed.source / name, copy / name)
    for name in ['meson.build', 'meson_options.txt']:
        shutil.copy(installed.source / name, copy)
    installed.build(copy, copy / 'build', cc, f'--destdir={stage}')
    top = stage / installed.prefix.relative_to('/')
    files = {str(path.relative_to(top)) for path in top.rglob('*') if not path.is_dir()}
    require(files == installed.files(), f'staged are {files}, not {installed.files()}')
    all_files = [path for path in stage.rglob('*') if not path.is_dir()]
    require(len(all_files) == len(files), f'staged elsewhere than below the prefix: {all_files}')
    for name in files:
        same = (top / name).read_bytes() == (installed.prefix / name).read_bytes()
        require(same, f'{name} is another in a second build')


def check_pkg_config(installed, version, library):
    require(installed.pkg_config('--modversion', library=library) == [version],
            'pkg-config tells another version')
    flags = installed.pkg_config('--cflags', '--libs', library=library)
    if installed.kind == 'static':
        flags = installed.pkg_config('--cflags', '--libs', '--static', library=library)
    require(installed.build_consumer(flags) == version, 'VF_VERSION is not the project\'s')
    if installed.kind == 'both':
        private = installed.pkg_config('--libs', '--static', library=library)
        archive = installed.prefix / 'lib' / f'lib{library}.a'
        cflags = installed.pkg_config('--cflags', library=library)
        installed.build_consumer([*cflags, archive, *set(private) - {f'-l{library}'}])


def check_readme_reports(installed):
    """Those of a checked build, without lines and with them, from a program that is compiled as the
    README says."""
    text = (installed.source / 'README.md').read_text()
    command = re.search(r'^    (cc .*veryfast-checked\))$', text, re.M)
    shown = re.findall(r'^    (veryfast: .*\n(?: {8}.*\n)+)', text, re.M)
    require(command and len(shown) == 2, 'the README shows no checked build')
    directory = installed.temporary / 'readme'
    directory.mkdir()
    (directory / 'job.c').write_text(JOB)
    run(['sh', '-c', command[1]], cwd=directory, env=installed.env)
    report = subprocess.run([directory / 'job'], env=installed.env, stderr=subprocess.PIPE).stderr
    lines = subprocess.run([installed.prefix / 'bin' / 'veryfast-where'], input=report,
                           stdout=subprocess.PIPE).stdout
    for expected, said in zip(shown, [report.decode(), lines.decode()]):
        pattern = re.escape(' '.join(expected.split())).replace('/home/you/', '/.*/')
        pattern = re.sub('0x[0-9a-f]+', '0x[0-9a-f]+', pattern)
        require(re.fullmatch(pattern + '\n', said), f'a checked build says {said}')


def check_meson_dependency(installed):
    build = installed.temporary / 'consumer-build'
    run([*shlex.split(installed.meson), 'setup', build, installed.consumer,
         '--wrap-mode=nofallback'], env=installed.env)
    run(['ninja', '-C', build], env=installed.env)
    run([build / 'consumer'], env=installed.env)
    run([build / 'declared'], env=installed.env)


def check_instances(installed):
    """The program that Meson finds above, by itself: without headers, with one that is not there,
    or where it cannot write, it makes nothing and says so."""
    program, = installed.pkg_config('--variable=instances')
    made = installed.temporary / 'made.c'
    header, nowhere = installed.consumer / 'declared.h', installed.temporary / 'nowhere' / 'made.c'
    for words, said in (([made], 'usage'), ([made, 'nowhere.h'], 'there is no'),
                        ([nowhere, header], f'veryfast-instances: {nowhere}: ')):
        result = subprocess.run([program, *words], capture_output=True, text=True)
        require(result.returncode != 0 and said in result.stderr and not made.exists(),
                f'with {words} it says {result.stderr}')
    run([program, 'made.c', header], cwd=installed.temporary)
    flags = installed.pkg_config('--cflags')
    run([*installed.cc, '-O2', '-c', made, '-o', made.with_suffix('.o'), *flags])
    names = run(['nm', '--defined-only', made.with_suffix('.o')])
    require(' T pool_job_64_alloc' in names, f'the bodies are {names}')


def check_cmake_package(installed, version):
    if shutil.which('cmake') is None:
        print('skipped: no cmake')
        return

    def build(name, prefix, text):
        project = installed.temporary / name
        project.mkdir()
        (project / 'CMakeLists.txt').write_text(text)
        for source in 'main.c', 'declared.c', 'declared.h', 'declared_too.h':
            shutil.copy(installed.consumer / source, project)
        command = ['cmake', '-S', project, '-B', project / 'build', f'-DCMAKE_PREFIX_PATH={prefix}',
                   f'-DCMAKE_C_COMPILER={installed.cc[0]}', '-DCMAKE_BUILD_TYPE=Debug']
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode == 0:
            run(['cmake', '--build', project / 'build'])
            said = run([project / 'build' / 'consumer']).strip()
            require(said == version, f'built with CMake, the consumer says {said}')
            run([project / 'build' / 'declared'])
        return result.stdout + result.stderr

    text = (installed.consumer / 'CMakeLists.txt').read_text()
    said = build('cmake', installed.prefix, text)
    require('Build files have been written' in said, said)
    # the file finds what it belongs to wherever that is moved
    moved = installed.temporary / 'moved'
    shutil.copytree(installed.prefix, moved, symlinks=True)
    said = build('cmake-moved', moved, text)
    require('Build files have been written' in said, said)
    links = run(['cat', *installed.temporary.glob('cmake-moved/build/**/link.txt')])
    require(f'{moved}/lib' in links, 'CMake links with what was not moved')
    require('(veryfast 0.4 ' in text, 'the consumer does not look for veryfast 0.4')
    said = build('cmake-checked', installed.prefix, text.replace('::veryfast', '::checked'))
    require('Build files have been written' in said, said)
    for wrong in '0.99', '1.0', '0.3':
        said = build(f'cmake-{wrong}', installed.prefix, text.replace('0.4', wrong))
        require('version' in said and 'written' not in said, f'{wrong} is found:\n{said}')


def check_epoch_consumer(installed):
    if '-DVF_HAS_EPOCH' not in installed.pkg_config('--cflags'):
        print('skipped: no epoch backend')
        return
    static = ['--static'] if installed.kind == 'static' else []
    flags = shlex.split(run(['pkg-config', '--cflags', '--libs', *static, 'veryfast',
                             'liburcu-memb'], env=installed.env))
    said = installed.build_consumer(flags, 'epoch.c')
    require(said == 'deferred', f'with epochs, the consumer says {said}')


def library_flags(installed, library, archive):
    """For a program or a plug-in that has the library inside, or beside it."""
    flags = installed.pkg_config('--cflags', '--libs', *['--static'] * archive, library=library)
    if archive and installed.kind == 'both':
        inside = str(installed.prefix / 'lib' / f'lib{library}.a')
        flags = [inside if flag == f'-l{library}' else flag for flag in flags]
    if '-DVF_HAS_EPOCH' in flags: # what uses epochs itself needs more than the library does
        flags += shlex.split(run(['pkg-config', '--libs', 'liburcu-memb']))
    return flags


def check_plugins(installed):
    """Each may have the library inside or beside it, checked or not: two of them in one process
    never see one another, whatever the program exports."""
    insides = {'both': [False, True], 'shared': [False], 'static': [True]}[installed.kind]
    ways = [(library, archive) for library in LIBRARIES for archive in insides]
    built = {}
    for way in ways:
        for source, more in {'host': ['-rdynamic', '-ldl'], 'plugin': ['-shared', '-fPIC']}.items():
            name = '-'.join([source, way[0], 'inside' if way[1] else 'beside'])
            built[source, way] = installed.temporary / name
            run([*installed.cc, '-std=c11', installed.consumer / f'{source}.c', '-o',
                 built[source, way], *more, *library_flags(installed, *way)], env=installed.env)
            names = re.findall(r' [A-Z] (vf_\w+)', run(['nm', '-D', '--defined-only',
                                                        built[source, way]]))
            require(not way[1] or not names, f'{name} exports {names}')
    for host in ways:
        for plugin in ways:
            relation = 'shared' if host == plugin and not host[1] else 'own'
            said = run([built['host', host], built['plugin', plugin], relation], env=installed.env)
            require(said == 'fine\n', f'{plugin} in {host}: {said}')


def check_tls_model(installed):
    for library in LIBRARIES if installed.kind == 'shared' else []:
        asked = '-DVF_TLS_MODEL=global_dynamic' in installed.pkg_config('--cflags', library=library)
        require(asked, f'the flags of {library} do not tell its users')
        path = installed.prefix / 'lib' / f'lib{library}.so'
        said = run(['readelf', '-d', path])
        require('STATIC_TLS' not in said, f'{library} is not for all loaders')


def check_other_interface_does_not_link(installed):
    include = installed.temporary / 'other'
    shutil.copytree(installed.prefix / 'include', include)
    changed = 0
    for header in include.rglob('*.h'):
        text = header.read_text()
        changed += 'vf_interface_1' in text
        header.write_text(text.replace('vf_interface_1', 'vf_interface_2'))
    require(changed > 0, 'no header names the interface')
    command = [*installed.cc, f'-I{include}', installed.consumer / 'main.c', '-o',
               installed.temporary / 'wrong', f'-L{installed.prefix}/lib', '-lveryfast', '-pthread']
    result = subprocess.run(command, capture_output=True, text=True)
    require(result.returncode != 0, 'headers of another interface link')
    require('vf_interface_2' in result.stderr, f'the linker says: {result.stderr}')


def check_sides_do_not_link(installed):
    for headers, library in [LIBRARIES, reversed(LIBRARIES)]:
        command = [*installed.cc, *installed.pkg_config('--cflags', library=headers),
                   installed.consumer / 'main.c', '-o', installed.temporary / 'wrong',
                   *installed.pkg_config('--libs', '--static', library=library)]
        result = subprocess.run(command, capture_output=True, text=True)
        require(result.returncode != 0, f'headers of {headers} link with {library}')
        require('vf_interface_1' in result.stderr, f'the linker says: {result.stderr}')


def main():
    source, version, cc, meson, kind = sys.argv[1:]
    with tempfile.TemporaryDirectory() as temporary:
        installed = Installed(source, Path(temporary), cc, meson, kind)
        check_files(installed, version)
        check_headers_are_those_of_the_source(installed, source)
        if kind != 'static':
            check_soname(installed)
        if kind == 'both':
            check_tags(installed, version)
            check_without_checked(installed, source, cc)
            check_second_build(installed, cc)
        for library in LIBRARIES:
            check_pkg_config(installed, version, library)
        check_readme_reports(installed)
        check_meson_dependency(installed)
        check_instances(installed)
        check_cmake_package(installed, version)
        check_epoch_consumer(installed)
        check_plugins(installed)
        check_tls_model(installed)
        check_other_interface_does_not_link(installed)
        check_sides_do_not_link(installed)


main()
