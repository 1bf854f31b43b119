import TestHosts

/// The service manager's end of NOTIFY_SOCKET (sd_notify(3)).
final class NotifySocket: Sendable {
  private let socket: DatagramSocket
  var path: String { socket.path }

  init(path: String) throws { socket = try DatagramSocket(path: path) }

  /// Returns true if a message with this line comes in time.
  func hears(_ line: String, within limit: Duration) async -> Bool {
    await eventually(within: limit, every: .milliseconds(1)) {
      let message = socket.receive(milliseconds: 0) ?? []
      return String(decoding: message, as: UTF8.self).split(separator: "\n").contains { $0 == line }
    }
  }
}
