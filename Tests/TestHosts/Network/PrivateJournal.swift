import Foundation
import Synchronization

/// A journal of a test's own: a program that becomes another one finds it where journald listens, in a mount namespace of
/// its own, with its standard error connected to it as a service's is. It keeps every entry.
public final class PrivateJournal: Sendable {
  private final class Reading: Sendable {
    let socket: DatagramSocket
    let entries = Mutex<[[String: String]]>([])
    let isOver = Mutex(false)

    init(_ socket: DatagramSocket) { self.socket = socket }

    func run() {
      while !isOver.withLock({ $0 }) {
        guard let datagram = socket.receive(milliseconds: 100) else { continue }
        let entry = JournalProtocol.fields(datagram).mapValues { $0.joined(separator: "\n") }
        entries.withLock { $0.append(entry) }
      }
    }
  }

  private let reading: Reading
  private let folder: String

  /// A journal whose socket lies in a folder that is there.
  public init(in folder: String) throws {
    self.folder = folder
    let reading = Reading(try DatagramSocket(path: folder + "/socket"))
    self.reading = reading
    // Reads at once: a socket holds ten entries, and the next would wait.
    Thread { reading.run() }.start()
  }

  deinit { reading.isOver.withLock { $0 = true } }

  /// A program that becomes another one, whose journal this is.
  public var prefix: [String] {
    let script = """
      mount -t tmpfs none /run && mkdir -p /run/systemd/journal && mount --bind "$0" /run/systemd/journal &&
      JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) && export JOURNAL_STREAM && exec "$@"
      """
    return ["unshare", "--mount", "sh", "-c", script, folder]
  }

  /// The entries so far: each field's value by its name.
  public var entries: [[String: String]] { reading.entries.withLock { $0 } }

  /// Returns the entries of one event.
  public func entries(of event: String) -> [[String: String]] { entries.filter { $0["CONVERSIOND_EVENT"] == event } }
}
