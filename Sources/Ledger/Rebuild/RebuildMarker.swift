import Conversions
import Foundation
import Glibc

/// The file beside a ledger that says that its rebuild, or its restore, is under way, and under which name the old one
/// is kept: between the moves of its files a start would find half a ledger, or none and begin an empty one.
struct RebuildMarker {
  let ledgerPath: String
  private var path: String { ledgerPath + ".rebuilding" }

  var exists: Bool { unsafe access(path, F_OK) == 0 }

  /// The old ledger's path aside, as an interrupted rebuild chose it.
  var asidePath: String? {
    let folder = (ledgerPath as NSString).deletingLastPathComponent
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
    let name = (text.trimmingCharacters(in: .whitespacesAndNewlines) as NSString).lastPathComponent
    return name.isEmpty ? nil : folder + "/" + name
  }

  func write(asidePath: String) throws(LedgerFailure) {
    let name = (asidePath as NSString).lastPathComponent
    try DurableFiles.write(Array((name + "\n").utf8), to: path)
  }

  func remove() throws(LedgerFailure) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else {
      throw LedgerFailure(fileError: errno, doing: "remove", path)
    }
    try DurableFiles.syncFolder(of: path)
  }

  static func failure(_ ledgerPath: String) -> LedgerFailure {
    LedgerFailure(.damaged, "\(ledgerPath) is incomplete: a rebuild, or a restore, of it was interrupted")
  }
}
