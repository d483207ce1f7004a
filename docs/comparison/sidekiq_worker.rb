# One Sidekiq job and one INSERT a file: `sidekiq -r ./sidekiq_worker.rb`, `ruby sidekiq_worker.rb FOLDER`.
require "mysql2"
require "sidekiq"

Sidekiq.configure_server { |c| c.redis = { url: ENV["CMP_REDIS"] } }
Sidekiq.configure_client { |c| c.redis = { url: ENV["CMP_REDIS"] } }

class Record
  include Sidekiq::Worker
  sidekiq_options retry: false

  def perform(path)
    db = Thread.current[:db] ||= Mysql2::Client.new(socket: ENV["CMP_MYSQL_SOCKET"], username: "root", database: "cmp")
    insert = Thread.current[:insert] ||= db.prepare("INSERT INTO results (path, outcome, size) VALUES (?, 'succeeded', ?)")
    insert.execute(path, File.size(path))
  end
end

if ARGV.length == 1 && $PROGRAM_NAME.end_with?("sidekiq_worker.rb")
  Dir.each_child(ARGV[0]).each_slice(1000) do |names|
    Sidekiq::Client.push_bulk("class" => Record, "args" => names.map { |n| [File.join(ARGV[0], n)] })
  end
end
