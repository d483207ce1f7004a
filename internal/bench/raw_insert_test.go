package bench

import (
	"testing"
	"time"
)

func TestRowsOfSeveralStatements(t *testing.T) {
	t.Parallel()
	now := moment(time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC))
	const at = "'2026-01-02 03:04:05.000006'"
	for short, want := range map[bool][]string{
		true: {
			intoFiles + `) VALUES (-7,1,'/tmp/it''s\\a',0,` + at + `),(-7,2,'/b',0,` + at + `)`,
			intoResults + `) VALUES (-7,1,1,1,'succeeded','bench-1',` + at + `,` + at + `)`,
			intoFiles + `) VALUES (-7,3,'/c',0,` + at + `)`,
		},
		false: {
			intoFiles + filesRest + `) VALUES (-7,1,'/tmp/it''s\\a',0,` + at + `,''),(-7,2,'/b',0,` + at + `,'')`,
			intoResults + resultsRest + `) VALUES (-7,1,1,1,'succeeded','bench-1',` + at + `,` + at + `,0,'','','',0,NULL,1)`,
			intoFiles + filesRest + `) VALUES (-7,3,'/c',0,` + at + `,'')`,
		},
	} {
		files, results := insertFiles(short), insertResults(short)
		files.file(-7, 1, `/tmp/it's\a`, now)
		files.file(-7, 2, "/b", now)
		results.result(-7, 1, now)
		got := []string{files.statement(), results.statement()}
		files.file(-7, 3, "/c", now)
		got = append(got, files.statement())
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("got  %s\nwant %s", got[i], want[i])
			}
		}
	}
}
