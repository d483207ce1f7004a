package dispatch

import lru "github.com/hashicorp/golang-lru/v2"

// rememberedTransfers is of how many transfers a dispatcher remembers when and how it
// served them. To forget one is harmless: it is served early, with a small window.
const rememberedTransfers = 10 * transfersPerRound

// perTransfer holds a value for each of the transfers used last.
type perTransfer[V any] struct{ *lru.Cache[int64, V] }

func newPerTransfer[V any](size int) perTransfer[V] {
	c, err := lru.New[int64, V](size)
	if err != nil {
		panic(err) // the size is positive
	}
	return perTransfer[V]{c}
}

// of returns the value of a transfer, or the zero value.
func (p perTransfer[V]) of(transfer int64) V {
	v, _ := p.Get(transfer)
	return v
}
