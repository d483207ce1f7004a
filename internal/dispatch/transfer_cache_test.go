package dispatch

import (
	"math"
	"testing"

	"github.com/balerhq/baler/tasks"
)

func TestPlanBatchesSumsBytesWithoutLimit(t *testing.T) {
	e := &TransferPlan{ID: 3, Queue: "q"}
	files := []tasks.File{{No: 1, Size: math.MaxInt64}, {No: 2, Size: math.MaxInt64}}
	got := PlanBatches(e, 2, files, tasks.BatchPolicy{})
	if len(got) != 1 || got[0].Files.String() != "1-2" || got[0].Bytes != math.MaxInt64 || got[0].Step != 2 {
		t.Errorf("%+v", got)
	}
}
