package bench

import "testing"

func TestQuantiles(t *testing.T) {
	t.Parallel()
	values := []float64{4, 1, 3, 2}
	for share, want := range map[float64]float64{0: 1, 0.25: 1, 0.26: 2, 0.5: 2, 0.99: 4, 1: 4} {
		if got := quantile(values, share); got != want {
			t.Errorf("%v of them are not above %v, want %v", share, got, want)
		}
	}
	if got := median(values); got != 2.5 {
		t.Errorf("median of an even number: %v, want 2.5", got)
	}
	if got := median(values[:3]); got != 3 {
		t.Errorf("median of an odd number: %v, want 3", got)
	}
	if values[0] != 4 {
		t.Error("the values were sorted in place")
	}
}
