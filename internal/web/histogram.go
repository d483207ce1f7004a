package web

import (
	"math/bits"
	"strconv"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/internal/ledger"
)

// histogramRow is how many batches have a number of files.
type histogramRow struct {
	Size, Batches string
	Bar           bar
}

// sizesOf counts batches by their number of files, in classes that double.
func sizesOf(past []ledger.PastBatch) (rows []histogramRow) {
	var counts [32]int64
	var most int64
	for i := range past {
		class := min(bits.Len(uint(max(past[i].Items, 1)))-1, len(counts)-1)
		counts[class]++
		most = max(most, counts[class])
	}
	for class, n := range counts {
		if n == 0 {
			continue
		}
		low, high := int64(1)<<class, int64(2)<<class-1
		size := humanize.Comma(low)
		of := " file"
		if high > low {
			of = " files"
			size += "–" + humanize.Comma(high)
		}
		rows = append(rows, histogramRow{
			Size: size, Batches: strconv.FormatInt(n, 10), Bar: barOf([]part{{"accent", "batches of " + size + of, n}}, most),
		})
	}
	return rows
}
