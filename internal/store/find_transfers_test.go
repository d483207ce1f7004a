package store

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

func TestFindTransfers(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		first, second := b.transfer(t, 1), b.transfer(t, 1)
		for name, id := range map[string]int64{"Nightly": second.ID, second.UUID[:4]: first.ID} {
			testkit.Must(t, b.db.Exec("UPDATE transfers SET name = ? WHERE id = ?", name, id).Error)
		}
		for _, c := range []struct {
			ref  string
			want []int64
		}{
			{first.UUID, []int64{first.ID}},
			{second.UUID[:35], []int64{second.ID}},
			{second.UUID[:4], []int64{second.ID, first.ID}},
			{strconv.FormatInt(first.ID, 10), []int64{first.ID}},
			{"00" + strconv.FormatInt(first.ID, 10), nil},
			{"Nightly", []int64{second.ID}},
			{"nightly", nil},
			{"Night%", nil},
			{"", nil},
			{"-", nil},
			{strings.ToUpper(first.UUID), nil},
		} {
			found, err := b.FindTransfers(t.Context(), c.ref, 9)
			testkit.Must(t, err)
			var got []int64
			for _, tr := range found {
				if got = append(got, tr.ID); len(tr.Steps) != 1 {
					t.Errorf("%q: the transfer comes without its steps: %+v", c.ref, tr)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q finds %v, want %v", c.ref, got, c.want)
			}
		}
	})
}
