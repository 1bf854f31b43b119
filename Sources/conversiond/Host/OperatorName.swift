import Foundation
import Glibc

/// The user who types a command, also behind sudo(8): for the journal and the ledger.
enum OperatorName {
  static var current: String {
    let user = "user \(getuid())"
    return ProcessInfo.processInfo.environment["SUDO_USER"].map { "\(user), sudo by \($0)" } ?? user
  }
}
