package store

import (
	"cmp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/cost"
)

func costsOf(handler, with, worker string, at time.Time) cost.Observations {
	l := cost.Observations{Key: cost.Key{Handler: handler, With: with}, Worker: worker, At: at}
	l.Add(3, 1<<40, 1.25)
	return l
}

func TestCostsAreKept(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		now := b.clock.Now()
		want := []cost.Observations{costsOf("a", "", "w1", now), costsOf("a", "", "w2", now), costsOf("a", "0123456789abcdef", "w1", now)}
		if err := b.SaveCosts(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		want[0].Add(7, 0, 2)
		want[0].At = now.Add(time.Minute)
		if err := b.SaveCosts(t.Context(), want[:1]); err != nil {
			t.Fatal(err)
		}
		got, err := b.Costs(t.Context())
		slices.SortFunc(got, func(x, y cost.Observations) int {
			return cmp.Or(cmp.Compare(x.With, y.With), cmp.Compare(x.Worker, y.Worker))
		})
		if err != nil || !slices.EqualFunc(got, want, func(x, y cost.Observations) bool {
			return x.Key == y.Key && x.Worker == y.Worker && x.Sums == y.Sums && x.At.Equal(y.At)
		}) {
			t.Errorf("kept %+v, %v; want %+v", got, err, want)
		}
	})
}

// With any number of workers and arguments over time, the number of rows is limited, and
// the newest of each kind stay.
func TestCostsAreBounded(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		now := b.clock.Now()
		if err := b.SaveCosts(t.Context(), []cost.Observations{costsOf("rare", "", "w", now.Add(-time.Hour))}); err != nil {
			t.Fatal(err)
		}
		var many []cost.Observations
		for i := range maxCostRows {
			many = append(many, costsOf("common", "", strconv.Itoa(i), now.Add(time.Duration(i)*time.Second)))
		}
		if err := b.SaveCosts(t.Context(), many); err != nil {
			t.Fatal(err)
		}
		got, err := b.Costs(t.Context())
		if err != nil || len(got) != maxCostRows*3/4 {
			t.Fatalf("%d rows, %v", len(got), err)
		}
		has := func(handler, worker string) bool {
			return slices.ContainsFunc(got, func(l cost.Observations) bool { return l.Handler == handler && l.Worker == worker })
		}
		if !has("rare", "w") || !has("common", strconv.Itoa(maxCostRows-1)) || has("common", "0") {
			t.Error("not the newest of each kind stayed")
		}
	})
}
