private import CLibsystemd
private import Glibc

/// Writes to the journal: by a bounded queue, and a thread of its own for `sd_journal_sendv`, which waits for as
/// long as journald does not read.
public final class JournalOutput: Sendable {
  private let queue: LogQueue<JournalEntry>
  private let identifier: String

  /// Opens nothing yet: libsystemd connects with the first record, and drops all where there is no journal.
  public convenience init(identifier: String = "conversiond", limits: LogLimits = LogLimits()) {
    self.init(identifier: identifier, limits: limits, send: Self.send)
  }

  init(identifier: String, limits: LogLimits, send: @escaping @Sendable (JournalEntry) -> Bool) {
    self.identifier = identifier
    let work = LogQueue<JournalEntry>.Work(
      size: \.size, gap: { JournalEntry(.gap(of: $0), identifier: identifier) }, write: send)
    queue = LogQueue(name: "journal", limits: limits, work: work)
  }

  /// The number of records that were lost since the beginning.
  public var droppedCount: Int { queue.droppedCount }

  /// Waits until all records are sent, at most for `timeout`, blocking the thread; false where some are left.
  @discardableResult public func flush(timeout: Duration) -> Bool { queue.flush(timeout: timeout) }

  func put(_ record: LogRecord) { queue.put(JournalEntry(record, identifier: identifier)) }

  /// Field values may hold line breaks: libsystemd sends such a field with its length (sd_journal_sendv(3)).
  private static func send(_ entry: JournalEntry) -> Bool {
    let bytes = entry.fields.joined()
    var all = Array(bytes)
    return unsafe all.withUnsafeMutableBytes { buffer in
      var vectors: [iovec] = unsafe []
      var offset = 0
      for field in entry.fields {
        unsafe vectors.append(iovec(iov_base: buffer.baseAddress?.advanced(by: offset), iov_len: field.count))
        offset += field.count
      }
      return unsafe sd_journal_sendv(vectors, Int32(vectors.count)) >= 0
    }
  }
}
