package cost

import "math"

// Cost is the estimated time of a handler: seconds per file and seconds per byte.
// Neither is negative.
type Cost struct {
	PerFile float64
	PerByte float64
}

// Predict returns the estimated seconds for a number of files with this total size in bytes.
func (c Cost) Predict(files, bytes int64) float64 {
	return c.PerFile*float64(files) + c.PerByte*float64(bytes)
}

// Sums summarise the batches that ran. They are the sums of the normal equations of
//
//	seconds ≈ PerFile · files + PerByte · bytes
//
// by least squares. Those of several workers, or of several times, add up. The
// zero value remembers nothing.
type Sums struct {
	NN, NB, BB float64 // files², files·bytes, bytes²
	NT, BT     float64 // files·seconds, bytes·seconds
	Seconds    float64 // of work
}

// decay is the factor by which each batch reduces the weight of those before it: after
// 35 batches to a half.
const decay = 0.98

// Add adds a batch and decays the earlier ones. It ignores invalid batches: without
// files, or with a negative time.
func (s *Sums) Add(files int, bytes int64, seconds float64) {
	if files <= 0 || !(seconds >= 0) || math.IsInf(seconds, 1) {
		return
	}
	n, b := float64(files), float64(max(bytes, 0))
	*s = s.times(decay).plus(Sums{NN: n * n, NB: n * b, BB: b * b, NT: n * seconds, BT: b * seconds, Seconds: seconds})
}

func (s Sums) times(w float64) Sums {
	return Sums{NN: w * s.NN, NB: w * s.NB, BB: w * s.BB, NT: w * s.NT, BT: w * s.BT, Seconds: w * s.Seconds}
}

func (s Sums) plus(o Sums) Sums {
	return Sums{
		NN: s.NN + o.NN, NB: s.NB + o.NB, BB: s.BB + o.BB, NT: s.NT + o.NT, BT: s.BT + o.BT, Seconds: s.Seconds + o.Seconds,
	}
}

// ridge is the parameter of the ridge regression, in units of a usual batch. If the
// batches do not separate the two costs, because all files have one size, each cost
// gets half of the time. If they do, ridge changes the costs by about a thousandth.
const ridge = 1e-3

// Solve returns the best fit with costs that are not negative. It reports false when
// nothing is known.
func (s Sums) Solve() (Cost, bool) {
	if !(s.NN > 0) || !s.finite() {
		return Cost{}, false
	}
	perFile := math.Max(s.NT, 0) / s.NN
	if !(s.BB > 0) { // none of the files had any bytes
		return Cost{PerFile: perFile}, true
	}
	// In units of a usual batch's files and bytes the matrix has ones on its diagonal, and twice r.
	un, ub := math.Sqrt(s.NN), math.Sqrt(s.BB)
	r := min(max(s.NB/un/ub, 0), 1)
	tn, tb := math.Max(s.NT/un, 0), math.Max(s.BT/ub, 0)
	d := (1+ridge)*(1+ridge) - r*r
	n, b := ((1+ridge)*tn-r*tb)/d, ((1+ridge)*tb-r*tn)/d
	switch {
	case n < 0: // then the best one is on the edge: time goes with bytes alone
		n, b = 0, tb
	case b < 0:
		n, b = tn, 0
	}
	c := Cost{PerFile: n / un, PerByte: b / ub}
	if !sane(c.PerFile) || !sane(c.PerByte) {
		return Cost{}, false
	}
	return c, true
}

func (s Sums) finite() bool {
	for _, v := range []float64{s.NN, s.NB, s.BB, s.NT, s.BT, s.Seconds} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

func sane(v float64) bool { return v >= 0 && !math.IsInf(v, 1) }
