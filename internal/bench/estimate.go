package bench

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/balerhq/baler/tasks"
)

// Rates on two shared cores, from docs/performance.md, in files or records per second. From
// them a bench estimates how long it takes before it begins; a slower machine takes longer.
const (
	estimatedLimit   = 50_000
	estimatedBulk    = 40_000
	estimatedGroup   = 14_000
	estimatedPerFile = 1_500
	estimatedSingles = 150 // transfers of one file
	estimatedRecords = 70_000
	estimatedBatches = 300 // small batches
	asynqGroupRate   = 100 // by asynq's own clock

	estimatedNoop    = 20_000 // the embedded database
	estimatedAgain   = 80_000
	estimatedFind    = 300_000 // also for making empty files
	estimatedContent = 800

	estimatedProcess   = 10 // a process for each file
	estimatedCoprocess = 500

	estimatedCopies = 25_000                // files, with their results
	estimatedPage   = 25 * time.Millisecond // a request
	pagesEstimate   = 20 * time.Second      // of the samples, and of what is flushed

	startEstimate   = 5 * time.Second  // of a worker, and its first file
	serversEstimate = 10 * time.Second // of Redis and MariaDB
)

func at(rate float64, things int) time.Duration {
	return time.Duration(float64(things) / rate * float64(time.Second))
}

// Takes estimates how long Pipeline takes in all.
func (o PipelineOptions) Takes() time.Duration {
	var round time.Duration
	for _, files := range o.Files {
		round += 6 * at(estimatedLimit, files) // two limits, over three numbers of connections
		for _, via := range o.Via {
			rate := float64(estimatedBulk)
			if via == tasks.ViaGroup {
				rate = estimatedGroup
			}
			round += time.Duration(len(o.Workers)*len(o.Batches)) * (startEstimate + at(rate, files))
		}
	}
	whole := o.Files[len(o.Files)-1]
	round += at(estimatedPerFile, min(max(1, whole/perFileShare), perFileMost)) + at(asynqGroupRate, min(whole, asynqGroupMost))
	if slices.Contains(o.Workers, 1) && slices.Contains(o.Workers, 2) {
		round += 2 * (startEstimate + startEstimate)
	}
	return serversEstimate + time.Duration(o.Repeat)*round
}

// Takes estimates how long Batch takes in all.
func (o BatchOptions) Takes() time.Duration {
	round := 3 * at(estimatedLimit, o.Files)
	for _, batch := range o.Batches {
		files := o.batchFiles(batch)
		round += time.Duration(len(o.Workers)) * (startEstimate + max(at(estimatedBulk, files), at(estimatedBatches, files/batch)))
	}
	return serversEstimate + time.Duration(o.Repeat)*round
}

// Takes estimates how long Commit takes in all.
func (o CommitOptions) Takes() time.Duration {
	return serversEstimate + time.Duration(o.Repeat)*2*(2*startEstimate+at(estimatedPerFile, o.Files))
}

// Takes estimates how long Latency takes in all.
func (o LatencyOptions) Takes() time.Duration {
	var round time.Duration
	for _, c := range o.combinations(1) {
		capacity := at(estimatedGroup, o.Files)
		if c.via == tasks.ViaBulk {
			capacity = at(estimatedSingles, max(lanes, o.Files/singleShare))
		}
		round += startEstimate + capacity + time.Duration(len(o.Loads)*o.Seconds)*time.Second
	}
	return serversEstimate + time.Duration(o.Repeat)*round
}

// Takes estimates how long Makespan takes in all.
func (o MakespanOptions) Takes() time.Duration {
	var round time.Duration
	for _, w := range works(o.Thumbnails) {
		round += startEstimate + w.ideal()
	}
	return serversEstimate + time.Duration(o.Repeat)*round
}

// Takes estimates how long Load takes in all.
func (o LoadBenchOptions) Takes() time.Duration {
	ways := 6 + len(o.Workers) // two by hand, over three numbers of connections
	return serversEstimate + at(estimatedRecords, o.Records) +
		time.Duration(o.Repeat)*(time.Duration(ways)*at(estimatedRecords, o.Records)+time.Duration(len(o.Workers))*startEstimate)
}

// Takes estimates how long Embedded takes in all.
func (o EmbeddedOptions) Takes() time.Duration {
	content := sampleFiles
	if o.Tree != "" {
		content = filesIn(o.Tree)
	}
	round := at(estimatedNoop, o.Files) + at(estimatedAgain, o.Files) + at(estimatedFind, o.Files) + at(estimatedContent, content)
	return at(estimatedFind, o.Files) + time.Duration(o.Repeat)*round
}

// Takes estimates how long Coprocess takes in all.
func (o CoprocessOptions) Takes() time.Duration {
	return at(estimatedProcess, o.Files) + at(estimatedCoprocess, o.Files)
}

// Takes estimates how long Pages takes in all.
func (o PagesOptions) Takes() time.Duration {
	page := estimatedPage
	if o.Busy {
		page *= 4
	}
	view := startEstimate/2 + time.Duration(o.Requests)*page
	views := len(pageViews("", largeTransfer{}))
	return serversEstimate + pagesEstimate + at(estimatedCopies, o.files()) + time.Duration(views)*view
}

// filesIn counts the files of a folder; those that cannot be read do not count.
func filesIn(root string) (n int) {
	_ = filepath.WalkDir(root, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			n++
		}
		return nil
	})
	return n
}
