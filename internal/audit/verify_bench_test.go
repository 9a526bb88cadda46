package audit_test

import (
	"testing"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// BenchmarkVerifyAMillion checks a trail of a million lines. The goal is a
// minute. Making it takes longer; -benchtime=1x is enough.
func BenchmarkVerifyAMillion(b *testing.B) {
	w := world.New(b)
	const each, lines = 20_000, 1_000_000
	for range lines / each {
		w.Update(b, func(tx *db.Tx) error {
			for n := range each {
				if err := audit.Record(tx, w.Mara, deed(n)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	before := cpu()
	for b.Loop() {
		err := w.DB.View(b.Context(), func(tx *db.Tx) error {
			r, err := audit.Verify(tx, access.Operator())
			if r.Lines < lines || len(r.Findings) != 0 {
				b.Errorf("%d lines, %+v", r.Lines, r.Findings)
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((cpu()-before).Seconds()/float64(b.N), "cpu-s/million")
}
