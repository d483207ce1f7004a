package main

import (
	"context"
	"os"

	"github.com/hibiken/asynq"
)

func asynqWorker() error {
	opt, err := asynq.ParseRedisURI(os.Getenv("CMP_REDIS"))
	if err != nil {
		return err
	}
	insert, err := prepare()
	if err != nil {
		return err
	}
	server := asynq.NewServer(opt, asynq.Config{Concurrency: 8, LogLevel: asynq.WarnLevel})
	return server.Run(asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		return record(ctx, insert, string(t.Payload()))
	}))
}

func asynqSubmit(folder string) error {
	opt, err := asynq.ParseRedisURI(os.Getenv("CMP_REDIS"))
	if err != nil {
		return err
	}
	client := asynq.NewClient(opt)
	defer client.Close()
	return inThousands(folder, func(paths []string) error {
		for _, p := range paths {
			if _, err := client.Enqueue(asynq.NewTask("record", []byte(p))); err != nil {
				return err
			}
		}
		return nil
	})
}
