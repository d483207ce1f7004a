package cost

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func near(t *testing.T, what string, got, want, part float64) {
	t.Helper()
	if math.Abs(got-want) > part*math.Abs(want)+1e-12 {
		t.Errorf("%s is %g, want %g", what, got, want)
	}
}

func TestCostsAreFoundInBatchesThatTellThemApart(t *testing.T) {
	var s Sums
	for range 50 {
		s.Add(100, 1<<20, 100*0.002+(1<<20)*1e-8)
		s.Add(1, 1<<28, 0.002+(1<<28)*1e-8)
	}
	c, known := s.Solve()
	if !known {
		t.Fatal("nothing is known")
	}
	near(t, "the cost of a file", c.PerFile, 0.002, 0.05)
	near(t, "the cost of a byte", c.PerByte, 1e-8, 0.05)
}

// Observations that cannot separate the cost of a file from that of a byte are shared
// between both, so that neither many empty files nor a single huge one seems free.
func TestCostsOfFilesThatAreAllAlike(t *testing.T) {
	var s Sums
	for range 5 {
		s.Add(10, 1000, 2)
	}
	c, _ := s.Solve()
	near(t, "the estimate of what was seen", c.Predict(10, 1000), 2, 0.01)
	near(t, "the half of the files", c.PerFile, 0.1, 0.01)
	near(t, "the half of the bytes", c.PerByte, 0.001, 0.01)
}

func TestCostsOfEmptyFiles(t *testing.T) {
	var s Sums
	s.Add(4, 0, 2)
	c, known := s.Solve()
	if !known || c.PerByte != 0 {
		t.Errorf("%+v, %t", c, known)
	}
	near(t, "the cost of a file", c.PerFile, 0.5, 0.001)
}

// Costs below nothing fit some batches best: they are not given.
func TestCostsThatWouldBeNegative(t *testing.T) {
	var files, bytes Sums
	for range 10 {
		bytes.Add(1, 100, 1)
		bytes.Add(100, 200, 1.9) // a file would cost less than nothing
		files.Add(1, 100_000, 0.01)
		files.Add(10, 100, 1) // a byte would
	}
	if c, _ := bytes.Solve(); c.PerFile != 0 || !(c.PerByte > 0) {
		t.Errorf("time that goes with bytes gives %+v", c)
	}
	if c, _ := files.Solve(); c.PerByte != 0 || !(c.PerFile > 0) {
		t.Errorf("time that goes with files gives %+v", c)
	}
}

func TestCostsFollowWhatChanges(t *testing.T) {
	var s Sums
	for range 200 {
		s.Add(10, 0, 1)
	}
	for range 200 {
		s.Add(10, 0, 3)
	}
	c, _ := s.Solve()
	near(t, "the cost of a file after it had trebled", c.PerFile, 0.3, 0.05)
}

func TestModelWithoutStatsKnowsNothing(t *testing.T) {
	var s Sums
	s.Add(0, 10, 1)
	s.Add(-1, 10, 1)
	s.Add(1, 10, -1)
	s.Add(1, 10, math.NaN())
	s.Add(1, 10, math.Inf(1))
	if c, known := s.Solve(); known {
		t.Errorf("%+v is known", c)
	}
	for _, bad := range []Sums{{NN: math.NaN()}, {NN: 1, BB: math.Inf(1)}, {NN: -1}, {NN: 1, NT: math.NaN()}} {
		if c, known := bad.Solve(); known {
			t.Errorf("%+v gives %+v", bad, c)
		}
	}
}

// For any observations, the costs are numbers and not negative, merging the sums of two
// workers changes nothing, and no other non-negative costs fit clearly better.
func TestAnyCosts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sample := rapid.Custom(func(t *rapid.T) [3]float64 {
			return [3]float64{
				float64(rapid.OneOf(rapid.Just(1), rapid.IntRange(1, 100_000)).Draw(t, "files")),
				float64(rapid.OneOf(rapid.SampledFrom([]int64{0, 1, math.MaxInt64}), rapid.Int64Range(0, 1<<40)).Draw(t, "bytes")),
				rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 1e6)).Draw(t, "seconds"),
			}
		})
		samples := rapid.SliceOfN(sample, 1, 20).Draw(t, "batches")
		var s Sums
		for _, b := range samples {
			s.Add(int(b[0]), int64(b[1]), b[2])
		}
		c, known := s.Solve()
		if !known || !sane(c.PerFile) || !sane(c.PerByte) {
			t.Fatalf("%+v, %t of %+v", c, known, s)
		}
		if twice, _ := s.plus(s).Solve(); math.Abs(twice.PerFile-c.PerFile) > 1e-6*c.PerFile {
			t.Errorf("%+v, and %+v of the same twice", c, twice)
		}
		for _, scale := range []float64{0, 0.5, 2} {
			for _, other := range []Cost{{c.PerFile * scale, c.PerByte}, {c.PerFile, c.PerByte * scale}, {c.PerFile * scale, c.PerByte * scale}} {
				if missed(&s, other) < missed(&s, c)-0.01*missed(&s, Cost{}) {
					t.Errorf("%+v fits better than %+v", other, c)
				}
			}
		}
	})
}

// missed is the weighted square of what an estimate misses, but for a constant.
func missed(s *Sums, c Cost) float64 {
	un, ub := math.Sqrt(s.NN), math.Sqrt(max(s.BB, 1))
	n, b := c.PerFile*un, c.PerByte*ub
	return n*n + 2*n*b*s.NB/un/ub + b*b - 2*n*s.NT/un - 2*b*s.BT/ub + s.NT/un*s.NT/un + s.BT/ub*s.BT/ub
}

func FuzzSolve(f *testing.F) {
	f.Add(1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
	f.Add(1e-300, 1e300, 1e300, 1e300, 0.0, -1.0)
	f.Fuzz(func(t *testing.T, nn, nb, bb, nt, bt, seconds float64) {
		c, known := Sums{NN: nn, NB: nb, BB: bb, NT: nt, BT: bt, Seconds: seconds}.Solve()
		if known && (!sane(c.PerFile) || !sane(c.PerByte)) {
			t.Errorf("%+v", c)
		}
	})
}
