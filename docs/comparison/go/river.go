package main

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// recordArgs is a River job for one file.
type recordArgs struct {
	Path string `json:"path"`
}

// Kind implements river.JobArgs.
func (recordArgs) Kind() string { return "record" }

type recordWorker struct {
	river.WorkerDefaults[recordArgs]

	insert *sql.Stmt
}

// Work implements river.Worker.
func (w *recordWorker) Work(ctx context.Context, job *river.Job[recordArgs]) error {
	return record(ctx, w.insert, job.Args.Path)
}

func riverWorker(ctx context.Context) error {
	pool, err := pgxpool.New(ctx, os.Getenv("CMP_POSTGRES"))
	if err != nil {
		return err
	}
	insert, err := prepare()
	if err != nil {
		return err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &recordWorker{insert: insert})
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 8}}, Workers: workers,
	})
	if err != nil {
		return err
	}
	if err := client.Start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func riverMigrate(ctx context.Context, pool *pgxpool.Pool) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func riverSubmit(ctx context.Context, folder string) error {
	pool, err := pgxpool.New(ctx, os.Getenv("CMP_POSTGRES"))
	if err != nil {
		return err
	}
	if folder == "migrate" {
		return riverMigrate(ctx, pool)
	}
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{})
	if err != nil {
		return err
	}
	return inThousands(folder, func(paths []string) error {
		jobs := make([]river.InsertManyParams, len(paths))
		for i, p := range paths {
			jobs[i] = river.InsertManyParams{Args: recordArgs{Path: filepath.Clean(p)}}
		}
		_, err := client.InsertManyFast(ctx, jobs)
		return err
	})
}
