import ArgumentParser
import Postgres
import TestHosts

/// Measures the time from an order's commit to the arrival of its conversion at the API.
struct LatencyBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latency", abstract: "From an order's commit to its first send, with and without a notification.",
    discussion: "The pacer is idle each time; the look at the order before its send is part of it.")

  @Option(help: "Orders that are measured each way.") var orders = 40
  @Option(help: "The poll interval without notifications, in milliseconds.") var pollInterval = 2000
  @Option(help: "The daemon's program.") var conversiond = RunningDaemon.program

  func run() async throws {
    for notifies in [true, false] {
      let interval = notifies ? "5s" : "\(pollInterval)ms"
      let running = try await RunningDaemon(
        program: conversiond, rows: 1000, friends: orders, pollInterval: interval, notifies: notifies)
      let latencies = try await measure(running)
      try await running.stop()
      let words =
        "median \((latencies.median * 1000).rounded3) ms, longest \(((latencies.max() ?? 0) * 1000).rounded3) ms"
      say("commit to first send, \(notifies ? "notified" : "polled every \(interval)"): \(words)")
    }
  }

  private func measure(_ running: RunningDaemon) async throws -> [Double] {
    let connection = try await PostgresConnection.connect(to: running.database.conninfo)
    var latencies: [Double] = []
    for number in 1...orders {
      let id = 10_000_000 + number
      // Not in step with the polls.
      try await Task.sleep(for: .milliseconds(200 + Int.random(in: 0..<max(400, pollInterval))))
      _ = try await connection.query(
        """
        INSERT INTO orders VALUES (\(id), 'newcomer\(number)@example.com', NULL, 'paid', 1000, 'EUR', now(), now())
        """)
      let committed = ContinuousClock.now
      guard await eventually(within: .seconds(30), { running.arrivals.time(of: id) != nil }),
        let arrived = running.arrivals.time(of: id)
      else { throw TestHostError("order \(id) never arrived: \(running.daemon.standardError.suffix(2000))") }
      let duration = arrived - committed
      latencies.append(Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18)
    }
    await connection.close()
    return latencies
  }
}
