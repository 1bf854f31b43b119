import Foundation
import Glibc
import Logging
import TestHosts
import Testing

@testable import Systemd

/// Through libsystemd to the journal's own socket, where no journald has it.
@Suite(.serialized, .enabled(if: JournalSocket.isFree))
struct JournalOutputTests {
  /// A journald that reads only when it is told to; everything made for it is removed again.
  private func withJournal(_ body: (DatagramSocket) throws -> Void) throws {
    let made = ["/run/systemd", JournalSocket.folder].filter { !FileManager.default.fileExists(atPath: $0) }
    defer { for folder in made.reversed() { try? FileManager.default.removeItem(atPath: folder) } }
    try FileManager.default.createDirectory(atPath: JournalSocket.folder, withIntermediateDirectories: true)
    let journal = try DatagramSocket(path: JournalSocket.path)
    defer { try? FileManager.default.removeItem(atPath: JournalSocket.path) }
    try body(journal)
  }

  @Test func aRecordArrivesAndCannotForgeFields() throws {
    try withJournal { journal in
      let output = JournalOutput()
      let logger = Logger(label: "x") { _ in QueuedLogHandler(journal: output) }
      logger.error("two\nlines\u{1B}[2J", metadata: ["order": "1\nPRIORITY=0\nCONVERSIOND_ORDER=2", "event": "review"])
      let fields = JournalProtocol.fields(try #require(journal.receive()))
      #expect(fields["MESSAGE"] == ["two\\nlines\\u{1b}[2J"])
      #expect(fields["PRIORITY"] == ["3"] && fields["SYSLOG_IDENTIFIER"] == ["conversiond"])
      #expect(fields["CONVERSIOND_ORDER"] == ["1\nPRIORITY=0\nCONVERSIOND_ORDER=2"])
      #expect(fields["MESSAGE_ID"] == [try #require(EventCatalog.messageID(of: "review"))])
      #expect(fields["CODE_FILE"] == nil)
      #expect(output.flush(timeout: .seconds(2)))
    }
  }

  @Test func aJournalThatDoesNotReadHoldsNobodyUp() throws {
    try withJournal { journal in
      let output = JournalOutput(limits: LogLimits(records: 200, bytes: 1 << 20))
      let logger = Logger(label: "x") { _ in QueuedLogHandler(journal: output) }
      var times = CallTimes()
      for number in 0..<5_000 { times.measure { logger.info("\(number)") } }
      #expect(times.percentile99 < .milliseconds(5) && times.total < .seconds(5), "\(times.total)")
      let flushed = ContinuousClock().measure { #expect(!output.flush(timeout: .milliseconds(100))) }
      #expect(flushed < .seconds(2))
      #expect(output.droppedCount > 0)

      // Each record arrives in its turn, or is counted as dropped just where it is missing.
      var (next, dropped) = (0, 0)
      while next < 5_000, let datagram = journal.receive() {
        let fields = JournalProtocol.fields(datagram)
        if fields["CONVERSIOND_EVENT"] == ["log_dropped"] {
          #expect(fields["PRIORITY"] == ["4"])
          let count = Int(fields["CONVERSIOND_DROPPED"]?.first ?? "") ?? 0
          dropped += count
          next += count
        } else {
          #expect(fields["MESSAGE"] == ["\(next)"])
          next += 1
        }
      }
      #expect(next == 5_000 && dropped == output.droppedCount)
      #expect(output.flush(timeout: .seconds(2)))
    }
  }

  @Test func withoutAJournalNothingWaits() {
    let output = JournalOutput()
    let logger = Logger(label: "x") { _ in QueuedLogHandler(journal: output) }
    for number in 0..<1_000 { logger.info("\(number)") }
    #expect(output.flush(timeout: .seconds(2)))
  }
}

/// The socket on which journald listens (systemd-journald.service(8)).
enum JournalSocket {
  static let folder = "/run/systemd/journal"
  static let path = folder + "/socket"

  /// True if a test may make the socket itself.
  static var isFree: Bool { geteuid() == 0 && !FileManager.default.fileExists(atPath: path) }
}
