package people_test

import (
	"fmt"
	"testing"

	"icouch/internal/base/civil"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// BenchmarkEverybody is what the first look at the list of a large practice
// reads and opens.
func BenchmarkEverybody(b *testing.B) {
	const many = 20_000
	w := world.New(b)
	for from := 0; from < many; from += 1000 {
		err := w.DB.Update(b.Context(), func(tx *db.Tx) error {
			for i := from; i < from+1000; i++ {
				d, err := people.Draft{First: fmt.Sprint("First", i), Last: fmt.Sprint("Last", i), Email: fmt.Sprintf("c%d@example.com", i), EmailConsent: true}.Read(civil.Date{})
				if err != nil {
					return err
				}
				if err := people.Create(tx, w.Mara, id.New[id.Client](tx.Now().Time), d, i%2 == 0); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	// The letters have gone, as almost all of a practice's have.
	if err := w.DB.Exec(b.Context(), "UPDATE letter SET state = 'sent', content = NULL, settled_at = created_at"); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		err := w.DB.View(b.Context(), func(tx *db.Tx) error {
			all, err := people.Everybody(tx, w.Mara)
			if err == nil && len(all) < many {
				err = fmt.Errorf("only %d", len(all))
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/client")
}
