package letter

import (
	"context"

	"icouch/internal/access"
	"icouch/internal/base/id"
	"icouch/internal/platform/db"
)

// Between has a worker read a notice, then does something, then has the worker go on.
func Between(do func(), c *Courier, p id.Practice, l id.Letter) {
	var out outgoing
	ctx := context.Background()
	err := c.DB.View(ctx, func(tx *db.Tx) (err error) { out, err = c.letter(tx, access.Job(p), l); return err })
	do()
	if err == nil {
		err = c.markThenSend(ctx, out)
	}
	if err != nil {
		panic(err)
	}
}
