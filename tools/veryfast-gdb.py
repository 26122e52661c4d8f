# SPDX-License-Identifier: MIT
"""Pools and small buffers in gdb.

    (gdb) source PREFIX/share/veryfast/veryfast-gdb.py       where gdb does not load it by itself
    (gdb) print *pool
    $1 = particles: 2 batches of 256 objects, stride 64; 300 live, 20 cached, 0 depot, 192 fresh
    (gdb) print hits
    $2 = 3 elements, room for 14 = {{target = 0, damage = 3}, ...}
    (gdb) print handle
    $3 = slot 17, generation 5: particles has it at 0x55e1a0         or: ... gone
    (gdb) info veryfast
    all pools of the program, a line each
    (gdb) veryfast-map pool                                  or: veryfast-map pool FILE.svg
    where in its batches the live objects are: # live, c cached, . free, and nothing where fresh

Reads memory only, so that core files will do, and calls nothing. The program needs debug
information (-g), and for pools, and small buffers that have spilled, the library too. Instances are
known by their members, whatever their names. The numbers are those of P_stats, and as exact.
"""
import itertools

import gdb
import gdb.printing

UNSETTLED = -2**63, -2**63 + 1  # src/pool/cache.h
NOT_RELEASED = 2**62
NOT_ENTERED = 2**32 - 1  # src/pool/record.h
LINK_OF_LIVE = 2**32 - 1  # src/pool/capped.c
COUNT, PUBLISHED = 2**31 - 1, 2**31  # include/veryfast/detail/pool_handle.h
SPILLED, REFUSED = 1, 6  # detail/smallbuf_core.h
BANK_BIT, CAP_INSIDE = 1 << 63, 1 << 62
MARK_SLOT_BITS, MARKS_BITS, MARK_SIZE = 27, 14, 4  # src/smallbuf/smallbuf.h
RUN_COUNT_BITS, REST_LENGTH_BITS = 12, 23  # src/smallbuf/runs.h, rests.c
LANE_HEADS = 32  # detail/smallbuf_lane.h
RUN_ENDED = 1 << 63  # detail/smallbuf_lane_flip.h
NEEDS = 'needs the debug information of libveryfast'


def members(value_type):
    return [field.name for field in value_type.fields()]


def pointed(address, name):
    """What lies at the address, as the core's type of that name; gdb.error: it is not known."""
    return gdb.Value(int(address)).cast(gdb.lookup_type(name).pointer()).dereference()


def numbers(address, count, size):
    """An array of unsigned numbers, in one read."""
    memory = gdb.selected_inferior().read_memory(int(address), count * size)
    order = 'big' if 'big' in gdb.execute('show endian', to_string=True) else 'little'
    return [int.from_bytes(memory[i:i + size], order) for i in range(0, count * size, size)]


# ---- pools: src/pool/stats.c and capped.c, once more ----

def caches(pool):
    cache = pool['caches']
    while int(cache) != 0:
        yield cache.dereference()
        cache = cache['next']


def count_of(cache):
    return int(cache['fast']['top'] - cache['fast']['bottom'])


def outstanding(pool):
    return int(pool['outstanding']) - (NOT_RELEASED if int(pool['holders']) > 0 else 0)


def records(batches):
    """The records of all batches, from the tree of groups."""
    def members_of(group):
        height = int(group['height'])
        low, high = group['members'].type.range()
        for i in range(low, high + 1):
            member = group['members'][i]
            if int(member) == 0:
                continue
            if height > 0:
                yield from members_of(pointed(member, 'struct vf_group'))
            else:
                yield pointed(member, 'struct vf_batch')

    if int(batches['root']) != 0:
        yield from members_of(batches['root'].dereference())


def uncapped_stats(pool):
    batches = pool['depot']['batches']
    objects = int(batches['shape']['objects'])
    live, cached = outstanding(pool), 0
    for cache in caches(pool):
        count, settled = count_of(cache), int(cache['settled'])
        live += int(cache['in']) - count - (0 if settled in UNSETTLED else settled)
        cached += count - int(cache['seized'])
    count, fresh = int(batches['held']), 0
    bits = 8 * gdb.lookup_type('vf_word').sizeof
    for batch in records(batches):
        begun = int(batch['begun'])
        if int(batch['base']) != 0 and begun != NOT_ENTERED:
            fresh += max(0, objects - begun * bits)
    return count, live, cached, count * objects - fresh - live - cached, fresh


def count_free(capped):
    """Slots on a capped pool's stack; None where it is closed."""
    closed = int(capped['free']['mask'])
    index = int(capped['free']['head']) & closed
    if index == closed:
        return None
    links = [0]  # by index, which begins at 1
    for i in range(int(capped['span_count'])):
        span = capped['spans'][i]
        links += numbers(span['links'], int(span['slots']), 4)
    free = 0
    while index != 0:
        index, free = links[index], free + 1
    return free


def capped_stats(pool):
    capped = pointed(pool['capped'], 'struct vf_capped')
    objects, carved, ready = (int(n) for n in
                              (capped['shape']['objects'], capped['carved'], capped['ready']))
    batches = sum((int(capped['spans'][i]['slots']) - 1) // objects + 1
                  for i in range(int(capped['span_count'])))
    free = count_free(capped)
    if free is None:
        free = carved - outstanding(pool)
    return batches, carved - free, 0, free, ready - carved


def describe(pool):
    stats = uncapped_stats(pool) if int(pool['capped']) == 0 else capped_stats(pool)
    batches, live, cached, depot, fresh = stats
    name = name_of(pool)
    shape = pool['depot']['batches']['shape']
    return (f'{name}: {batches} batches of {int(shape["objects"])} objects, '
            f'stride {int(shape["stride"])}; {live} live, {cached} cached, {depot} depot, '
            f'{fresh} fresh' + ('; released' if pool['closed'] else ''))


def all_pools():
    pool = gdb.parse_and_eval('all_pools')
    while int(pool) != 0:
        yield pool.dereference()
        pool = pool['next']


def name_of(pool):
    return pool['name'].address.cast(gdb.lookup_type('char').pointer()).string()


def object_of(pool, number, generation):
    """The object that lives in the slot with this generation, or None. Of a pool with handles."""
    objects, stride = (int(pool['depot']['batches']['shape'][name])
                       for name in ('objects', 'stride'))
    if number // objects >= int(pool['handles']['count']):
        return None
    of = pool['core']['directory'][number // objects]
    generations = int(of) + of.dereference().type.sizeof
    present, = numbers(generations + 4 * (number % objects), 1, 4)
    if present != PUBLISHED | generation or int(of['base']) == 0:
        return None
    return int(of['base']) + number % objects * stride


class Text:
    """A pointer to a pool or a cache, whose type is incomplete in the program."""

    def __init__(self, address, text):
        self.text = f'{address:#x} {text}'

    def to_string(self):
        return self.text


def handle(address):
    """A printer for the address of a pool, or of a cache that a caller holds; None: it is none."""
    try:
        for pool in all_pools():
            if int(pool.address) == address:
                return Text(address, describe(pool))
            for cache in caches(pool):
                if int(cache['fast'].address) == address:
                    room = int(cache['fast']['limit'] - cache['fast']['bottom'])
                    return Text(address, f'{count_of(cache)} free objects, room for {room}')
    except gdb.error:
        pass
    return None


class Handle:
    """pool_T_N_handle: a struct of nothing but bits. Looks in all pools that have handles."""

    def __init__(self, value):
        self.bits = int(value['bits'])

    def to_string(self):
        if self.bits == 0:
            return 'no handle'
        number, generation = self.bits >> 31, self.bits & COUNT
        text = f'slot {number}, generation {generation}'
        try:
            pools = [pool for pool in all_pools() if int(pool['handles']) != 0]
            found = [f'{name_of(pool)} has it at {place:#x}' for pool in pools
                     for place in [object_of(pool, number, generation)] if place is not None]
        except gdb.error as error:
            return f'{text} ({NEEDS}: {error})'
        return f'{text}: ' + ('; '.join(found) or 'gone')


class AllPools(gdb.Command):
    """All pools of the program, each with its batches and how many of its objects are where."""

    def __init__(self):
        super().__init__('info veryfast', gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        try:
            pools = [f'{int(pool.address):#x} {describe(pool)}' for pool in all_pools()]
        except gdb.error as error:
            raise gdb.GdbError(f'info veryfast {NEEDS}: {error}')
        print('\n'.join(pools or ['no pools']))


# ---- maps: the state of each slot ----

LIVE, CACHED, FREE, FRESH = '#c. '
COLUMNS = 64  # characters in a line of text
CELLS, CELL, MARGIN = 128, 6, 130  # slots in a row of a picture, their size, what is left of them
COLOURS = {LIVE: '#b5482f', CACHED: '#e3b04b', FREE: '#b9cfe4', FRESH: '#eeeeee'}
NAMES = {LIVE: 'live', CACHED: 'cached', FREE: 'free', FRESH: 'fresh'}


def uncapped_maps(pool):
    """For each batch its address, and the states of its slots."""
    batches = pool['depot']['batches']
    objects, stride = int(batches['shape']['objects']), int(batches['shape']['stride'])
    size, word = gdb.lookup_type('void').pointer().sizeof, gdb.lookup_type('vf_word').sizeof
    cached = set()
    for cache in caches(pool):
        slots = numbers(cache['fast']['bottom'], count_of(cache), size)
        cached.update(slots[int(cache['seized']):])
    for batch in records(batches):
        base, begun = int(batch['base']), int(batch['begun'])
        if base == 0 or begun == NOT_ENTERED:
            continue
        free = numbers(batch['free'].address, int(batches['shape']['words']), word)
        yield base, ''.join(
            FRESH if i // (8 * word) >= begun else
            FREE if free[i // (8 * word)] >> i % (8 * word) & 1 else
            CACHED if base + i * stride in cached else LIVE for i in range(objects))


def capped_maps(pool):
    """The same for each span."""
    capped = pointed(pool['capped'], 'struct vf_capped')
    for i in range(int(capped['span_count'])):
        span = capped['spans'][i]
        handed_out = int(capped['carved']) - int(span['first'])
        links = numbers(span['links'], int(span['slots']), 4)
        yield int(span['base']), ''.join(
            FRESH if k >= handed_out else LIVE if link == LINK_OF_LIVE else FREE
            for k, link in enumerate(links))


def maps(pool):
    """By address."""
    return sorted(uncapped_maps(pool) if int(pool['capped']) == 0 else capped_maps(pool))


def picture(title, rows):
    """The maps as SVG: a line for each batch or part of one, a path for all slots of one state."""
    height, paths, texts, y = CELL * 2, {state: '' for state in COLOURS}, '', CELL * 6
    for base, states in rows:
        texts += f'<text y="{y + 4}">{base:#x}</text>\n'
        for begin in range(0, len(states), CELLS):
            x = MARGIN
            for state, run in itertools.groupby(states[begin:begin + CELLS]):
                width = CELL * len([*run])
                paths[state] += f'M{x} {y}h{width}'
                x += width
            y += height
    for i, state in enumerate(NAMES):
        x = MARGIN + 90 * i
        paths[state] += f'M{x} {height + 8}h{2 * CELL}'
        texts += f'<text x="{x + 3 * CELL}" y="{height + 12}">{NAMES[state]}</text>\n'
    title = title.replace('&', '&amp;').replace('<', '&lt;')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {MARGIN + CELL * CELLS} {y}" '
            f'font-family="monospace" font-size="11" stroke-width="{height - 2}">\n'
            f'<rect width="100%" height="100%" fill="white"/>\n<text y="11">{title}</text>\n'
            + texts + ''.join(f'<path stroke="{COLOURS[state]}" d="{path}"/>\n'
                              for state, path in paths.items()) + '</svg>\n')


class Map(gdb.Command):
    """veryfast-map POOL [FILE.svg]: the state of each slot, by address; as text or as a picture."""

    def __init__(self):
        super().__init__('veryfast-map', gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        words = argument.split()
        file = words.pop() if len(words) > 1 and words[-1].endswith('.svg') else None
        try:
            handle = gdb.parse_and_eval(' '.join(words))
            pool = pointed(handle, 'struct vf_pool')
            rows = maps(pool)
        except gdb.error as error:
            raise gdb.GdbError(f'veryfast-map takes a pool, and {NEEDS}: {error}')
        if file is not None:
            with open(file, 'w') as out:
                out.write(picture(describe(pool), rows))
            return
        print(describe(pool))
        for base, states in rows:
            for begin in range(0, len(states), COLUMNS):
                address = f'{base:#x}' if begin == 0 else ''
                print(f'{address:>18} {states[begin:begin + COLUMNS]}'.rstrip())


# ---- small buffers: src/smallbuf/spill.c, drain.c and lanes.c, once more ----

def runs_of_lanes(directory):
    """Of each run that a lane has slots in, or a reader has marked: the indices at which it begins,
    at which it goes on, and at which it ends."""
    size = gdb.lookup_type('void').pointer().sizeof
    heads = int(directory.address) - LANE_HEADS * size
    for lane in numbers(heads, LANE_HEADS, size) if directory['type']['lanes'] else []:
        while lane != 0:
            of = pointed(lane, 'vf_lane')
            if directory['type']['bank_size']:  # VF_FLIP
                unused = int(pointed(lane, 'vf_flip_lane')['left']) & ~RUN_ENDED
            else:
                unused = int(of['stop'] - of['at']) // int(directory['type']['size'])
            end = int(of['core']['end'])
            if unused > 0 or of['marked']:
                yield int(of['first']), end - unused, end
            lane = int(of['next'])


def rests_of_writers(directory):
    """The same of what writers with a key have left: they begin where they go on."""
    keyed, size = directory['keyed'], gdb.lookup_type('void').pointer().sizeof
    if keyed['tail'] == 0:
        return
    own, rests = keyed['own'], keyed['rests']
    for run in numbers(int(own.address), own.type.sizeof // size, size):
        if run != 0 and int(pointed(run, 'vf_run')['slots']) != 0:
            at = int(pointed(run, 'vf_run')['key'])
            yield at, at, int(pointed(run, 'vf_run')['slots']) >> RUN_COUNT_BITS
    for rest in numbers(int(rests.address), rests.type.sizeof // 8, 8):
        if rest != 0:
            at = rest >> REST_LENGTH_BITS
            yield at, at, at + (rest & ((1 << REST_LENGTH_BITS) - 1))


class Bank:
    """The elements of a buffer, or with VF_FLIP of the bank that pushes go to."""

    def __init__(self, bank, tail, element):
        self.element = element
        self.inline = bank['inline_']
        self.inside = self.inline.type.sizeof // element.sizeof
        self.directory = None
        word = int(bank['spill'])
        capacity = self.inside
        if word & SPILLED:
            window = pointed(word - SPILLED, 'vf_window').address - 1
            self.directory = pointed(window['directory'], 'vf_directory')
            capacity = int(self.directory['room'])
        elif word & ~REFUSED:
            options = pointed(word & ~REFUSED, 'vf_smallbuf_options')
            if int(options['max_elements']) != 0:
                capacity = min(capacity, int(options['max_elements']))
        self.capacity = capacity
        self.used = min(tail & (CAP_INSIDE - 1), capacity)
        self.gaps, self.runs = 0, []
        if self.directory is not None:
            self.gaps = int(self.directory['gaps'])
            self.runs = [*runs_of_lanes(self.directory), *rests_of_writers(self.directory)]

    def count(self):
        return self.used - self.gaps - sum(end - at for first, at, end in self.runs)

    def slots(self):
        """The address of each element."""
        address = int(self.inline.address)
        skipped = int(self.directory['keyed']['skipped']) if self.directory is not None else 0
        for i in range(min(self.used, self.inside) - skipped):
            yield address + i * self.element.sizeof
        if self.directory is None:
            return
        offset, level = int(self.directory['offset']), int(self.directory['first'])
        end = self.used + offset
        while 1 << level < end:
            yield from self.chunk(level, min(end, 2 << level))
            level += 1

    def chunk(self, level, end):
        chunk, first = int(self.directory['chunks'][level]), 1 << level
        size, place = self.element.sizeof, self.inside + int(self.directory['offset'])
        block = min(max(int(self.directory['block']), first >> MARKS_BITS), first)
        for place in range(max(first, place), end):
            index = place - int(self.directory['offset'])
            run = next((run for run in self.runs if run[0] <= index < run[2]), None)
            if run is not None:
                if index >= run[1]:
                    continue
            elif self.gaps:
                marks = -(-first * size // MARK_SIZE) * MARK_SIZE
                at = chunk + marks + (place - first) // block * MARK_SIZE
                mark, = numbers(at, 1, MARK_SIZE)
                unused = mark & ((1 << MARK_SLOT_BITS) - 1)
                if mark >> MARK_SLOT_BITS == int(self.directory['fill']) and \
                        place % block >= block - unused:
                    continue
            yield chunk + (place - first) * size


class SmallBuffer:
    """smallbuf_T_N: a struct of tail, spill, inline_, or of tail and two banks."""

    def __init__(self, value):
        self.value = value

    def element(self):
        """The type of the elements. The inline slots have it, but in C++ they are bytes."""
        buffer = self.value.type.strip_typedefs().unqualified()
        try:
            return gdb.lookup_type(buffer.name + '_drain')['at'].type.target()
        except gdb.error:  # the program does not use it
            bank = buffer['banks'].type.target() if 'banks' in members(buffer) else buffer
            if 'c++' in gdb.execute('show language', to_string=True):
                raise
            return bank['inline_'].type.target()

    def bank(self):
        tail = int(self.value['tail'])
        element = self.element()
        if 'banks' in members(self.value.type):
            return Bank(self.value['banks'][tail >> 63], tail & ~BANK_BIT, element)
        return Bank(self.value, tail, element)

    def to_string(self):
        try:
            bank = self.bank()
        except gdb.error as error:
            return f'a small buffer that cannot be read ({NEEDS}): {error}'
        return f'{bank.count()} elements, room for {bank.capacity}'

    def children(self):
        try:
            bank = self.bank()
        except gdb.error:
            return
        for i, address in enumerate(bank.slots()):
            yield f'[{i}]', gdb.Value(address).cast(bank.element.pointer()).dereference()

    def display_hint(self):
        return 'array'


class Printers(gdb.printing.PrettyPrinter):
    def __init__(self):
        super().__init__('veryfast', [])

    def __call__(self, value):
        value_type = value.type.strip_typedefs()
        if value_type.code == gdb.TYPE_CODE_PTR:
            target = value_type.target().strip_typedefs()
            hidden = target.code == gdb.TYPE_CODE_STRUCT and not target.fields()
            return handle(int(value)) if hidden else None
        if value_type.code != gdb.TYPE_CODE_STRUCT:
            return None
        names = members(value_type)
        if names == ['bits'] and str(value_type).endswith('_handle'):
            return Handle(value)
        if names in (['tail', 'spill', 'inline_'], ['tail', 'banks']):
            return SmallBuffer(value)
        return None


gdb.printing.register_pretty_printer(gdb.current_objfile(), Printers(), replace=True)
AllPools()
Map()
