package directory

import (
	"cmp"
	"encoding/binary"
	"runtime"
	"slices"
	"sync"

	"icouch/internal/people"
)

// sortedEntries makes the entries of clients, by name. Of a large practice all
// cores make some and sort them, and the parts are merged.
func sortedEntries(rows []people.Listed) []*entry {
	const few = 4096
	cores := min(runtime.NumCPU(), max(1, len(rows)/few))
	parts := make([][]place, cores)
	var making sync.WaitGroup
	for i := range parts {
		mine := rows[len(rows)*i/cores : len(rows)*(i+1)/cores]
		making.Go(func() { parts[i] = places(mine) })
	}
	making.Wait()
	for len(parts) > 1 {
		parts = append(parts[2:], merged(parts[0], parts[1]))
	}
	all := make([]*entry, len(rows))
	if len(parts) == 1 {
		for i, p := range parts[0] {
			all[i] = p.entry
		}
	}
	return all
}

// place is where an entry stands by name. Most are told apart by how they
// begin, without a look at the entry.
type place struct {
	begins uint64
	entry  *entry
}

func places(rows []people.Listed) []place {
	all, entries := make([]place, len(rows)), make([]entry, len(rows))
	for i, r := range rows {
		entries[i] = newEntry(r)
		all[i] = placeOf(&entries[i])
	}
	slices.SortFunc(all, byPlace)
	return all
}

func placeOf(e *entry) place {
	var first [8]byte
	copy(first[:], e.fold)
	return place{binary.BigEndian.Uint64(first[:]), e}
}

func byPlace(a, b place) int {
	if a.begins != b.begins {
		return cmp.Compare(a.begins, b.begins)
	}
	return byName(a.entry, b.entry)
}

func merged(a, b []place) []place {
	all := make([]place, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if byPlace(a[0], b[0]) <= 0 {
			all, a = append(all, a[0]), a[1:]
		} else {
			all, b = append(all, b[0]), b[1:]
		}
	}
	return append(append(all, a...), b...)
}
