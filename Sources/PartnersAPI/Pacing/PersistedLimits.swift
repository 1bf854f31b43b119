import BlockingIO
import Conversions
import Foundation

/// Keeps a copy of what a pacer must remember for longer than its file exists, which may be in /run and is gone with a
/// reboot: the gear, and the wait that the API asked for. The sends of the last minute are not kept: after a boot a
/// pacer waits for a minute instead.
///
/// Blocks: for a thread that may wait.
struct PersistedLimits {
  let path: String
  private var kept: Values?

  /// The values of which a change makes a copy be written: seldom, as each is synced to the disk.
  private struct Values: Equatable {
    let limits: [Limit]

    struct Limit: Equatable {
      let gear: PacingGear
      let blockedUntil: Duration?
      /// The widening, up to the next quarter, as it narrows a little with each answer.
      let widening: Double

      init(_ state: PacingState) {
        (gear, blockedUntil) = (state.gear, state.blockedUntil)
        widening = (state.widening * 4).rounded(.up) / 4
      }
    }

    init(_ pacing: HostPacing) { limits = [Limit(pacing.writes), Limit(pacing.conversions)] }
  }

  init(path: String) { self.path = path }

  /// Returns what was kept, as of now; nil for nothing that can be read.
  func pacing(inBoot boot: String, at now: Duration) -> HostPacing? {
    guard let data = FileManager.default.contents(atPath: path), data.count <= PacerRecord.bytesMax else { return nil }
    guard var pacing = PacerRecord([UInt8](data))?.pacing(inBoot: boot, at: now) else { return nil }
    pacing.forgetLastMinute(at: now)
    return pacing
  }

  /// Keeps a record if it holds anything new. One that can't be kept is only forgotten at a reboot.
  mutating func keep(_ record: PacerRecord) {
    let values = Values(record.pacing)
    guard values != kept, (try? SyncedFile.write(record.encoded(), to: path)) != nil else { return }
    kept = values
  }
}
