import Glibc
import Logging
import Testing

@testable import Systemd

@Suite struct PlainOutputTests {
  /// A pipe of one page.
  private struct Pipe {
    let reader: Int32
    let writer: Int32

    init() throws {
      var ends: [Int32] = [0, 0]
      try #require(unsafe pipe(&ends) == 0)
      (reader, writer) = (ends[0], ends[1])
      // F_SETPIPE_SZ, which the overlay does not name.
      _ = fcntl(writer, 1_031, 4_096)
    }

    /// All that comes until nothing comes for a moment and `isDone` says that it was all, or for five seconds.
    func read(until isDone: (String) -> Bool) -> String {
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 65_536)
      var ready = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
      let end = ContinuousClock.now + .seconds(5)
      while ContinuousClock.now < end {
        if unsafe poll(&ready, 1, 50) == 1 {
          let count = unsafe Glibc.read(reader, &buffer, buffer.count)
          guard count > 0 else { break }
          bytes += buffer[..<count]
        } else if isDone(String(decoding: bytes, as: UTF8.self)) {
          break
        }
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  private func output(_ descriptor: Int32, limits: LogLimits = LogLimits()) -> PlainOutput {
    let style = PlainStyle(isTerminal: false, color: false, environment: [:])
    return PlainOutput(descriptor: descriptor, style: style, limits: limits)
  }

  private func logger(_ output: PlainOutput) -> Logger {
    Logger(label: "x") { _ in QueuedLogHandler(plain: output) }
  }

  @Test func linesComeOutInOrder() throws {
    let pipe = try Pipe()
    let output = output(pipe.writer)
    for number in 0..<20 { logger(output).info("line \(number)", metadata: ["order": "1043"]) }
    logger(output).debug("not this one")
    #expect(output.flush(timeout: .seconds(2)))
    close(pipe.writer)
    let lines = pipe.read { _ in false }.split(separator: "\n")
    #expect(
      lines.map { $0.split(separator: " ", maxSplits: 1)[1] } == (0..<20).map { "info    line \($0)  order=1043" })
    close(pipe.reader)
  }

  /// Counts the lines, from the first on, that are there or were said to be dropped just where they are missing.
  private static func accountedFor(_ text: String) -> (count: Int, dropped: Int) {
    var (count, dropped) = (0, 0)
    guard text.hasSuffix("\n") else { return (0, 0) }
    for line in text.split(separator: "\n") {
      if let gap = line.wholeMatch(of: #/.* warning ([0-9]+) lines were dropped here: .* event=log_dropped/#) {
        count += Int(gap.output.1) ?? 0
        dropped += Int(gap.output.1) ?? 0
      } else if line.hasSuffix(" line \(count)") {
        count += 1
      }
    }
    return (count, dropped)
  }

  @Test(arguments: [false, true])
  func aPipeThatNobodyReadsHoldsNobodyUp(nonBlocking: Bool) throws {
    let pipe = try Pipe()
    defer { close(pipe.reader) }
    if nonBlocking { _ = fcntl(pipe.writer, F_SETFL, O_NONBLOCK) }
    let output = output(pipe.writer, limits: LogLimits(records: 100, bytes: 1 << 20))
    let logger = logger(output)
    var times = CallTimes()
    for number in 0..<3_000 { times.measure { logger.info("line \(number)") } }
    #expect(times.percentile99 < .milliseconds(5) && times.total < .seconds(5), "\(times.total)")
    let flushed = ContinuousClock().measure { #expect(!output.flush(timeout: .milliseconds(100))) }
    #expect(flushed < .seconds(2))

    let text = pipe.read { Self.accountedFor($0).count == 3_000 }
    let (count, dropped) = Self.accountedFor(text)
    #expect(count == 3_000 && dropped > 0 && dropped == output.droppedCount)
    logger.info("after")
    #expect(output.flush(timeout: .seconds(2)))
    #expect(pipe.read { $0.hasSuffix("\n") }.hasSuffix("info    after\n"))
  }

  @Test func aPipeWhoseReaderLeftStopsNothing() throws {
    let pipe = try Pipe()
    close(pipe.reader)
    let output = output(pipe.writer)
    for number in 0..<50 { logger(output).info("line \(number)") }
    #expect(output.flush(timeout: .seconds(2)))
    #expect(output.droppedCount == 50)
    close(pipe.writer)
  }

  @Test func bytesAreBoundedToo() throws {
    let pipe = try Pipe()
    defer { close(pipe.reader) }
    let output = output(pipe.writer, limits: LogLimits(records: 1_000_000, bytes: 100_000))
    let text = String(repeating: "x", count: 10_000)
    for _ in 0..<100 { logger(output).info("\(text)") }
    #expect(output.droppedCount >= 89)
    _ = pipe.read { $0.contains("lines were dropped") && $0.hasSuffix("\n") }
  }

  @Test func manyThreadsShareOneQueue() async throws {
    let pipe = try Pipe()
    let output = output(pipe.writer)
    let logger = logger(output)
    async let text = Task.detached { pipe.read { $0.split(separator: "\n").count == 800 } }.value
    await withTaskGroup { group in
      for task in 0..<8 { group.addTask { for number in 0..<100 { logger.info("\(task) \(number)") } } }
    }
    let lines = await text.split(separator: "\n")
    #expect(lines.count == 800 && Set(lines.map { $0.suffix(5) }).count >= 100 && output.droppedCount == 0)
    close(pipe.writer)
    close(pipe.reader)
  }
}
