package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"icouch/internal/base/id"
)

// TestAnIndexThatFollowsFindsWhatLookingAtEachOneFinds puts clients in and
// takes them out, through leaves that split and leaves that empty.
func TestAnIndexThatFollowsFindsWhatLookingAtEachOneFinds(t *testing.T) {
	t.Parallel()
	letters := rapid.StringMatching(`[abß@\n]{0,6}`)
	rapid.Check(t, func(rt *rapid.T) {
		var all []*entry // by name
		x := newIndex(nil)
		for i := range rapid.IntRange(0, 200).Draw(rt, "changes") {
			if len(all) > 0 && rapid.IntRange(0, 2).Draw(rt, "out") == 0 {
				e := rapid.SampledFrom(all).Draw(rt, "who")
				all, x = without(all, e, byName), x.without(e)
				continue
			}
			e := &entry{fold: letters.Draw(rt, "name") + "\n"}
			e.ID = id.Client(fmt.Sprint(i))
			all, x = with(all, e, byName), x.with(e)
		}
		needle := rapid.StringMatching(`[abß@]{1,4}`).Draw(rt, "needle")
		var want []*entry
		for _, e := range all {
			if strings.Contains(e.fold, needle) {
				want = append(want, e)
			}
		}
		if got := slices.Collect(x.find(needle)); !slices.Equal(got, want) {
			rt.Fatalf("%q finds %d, want %d", needle, len(got), len(want))
		}
	})
}
