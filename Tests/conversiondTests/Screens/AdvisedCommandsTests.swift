import Configuration
import Testing

@testable import conversiond

/// Commands that texts name, as they are to be typed for an instance.
@Suite struct AdvisedCommandsTests {
  @Test(
    arguments: [
      ("see `conversiond queue list --state review`", "see `conversiond --instance b queue list --state review`"),
      (
        "conversiond queue list, then conversiond queue release ALL",
        "conversiond --instance b queue list, then conversiond --instance b queue release ALL"
      ),
      ("run conversiond accept-mapping --yes", "run conversiond --instance b accept-mapping --yes"),
      ("stop it first: systemctl stop conversiond", "stop it first: systemctl stop conversiond@b"),
      ("Try: systemctl start conversiond\n", "Try: systemctl start conversiond@b\n"),
      ("`systemctl enable --now conversiond`", "`systemctl enable --now conversiond@b`"),
      ("systemctl --no-pager status conversiond.service", "systemctl --no-pager status conversiond@b.service"),
      ("journalctl -x -u conversiond -p warning", "journalctl -x -u conversiond@b -p warning"),
    ])
  func nameTheInstance(text: String, expected: String) throws {
    #expect(AdvisedCommands.addressed(text, to: try Instance(name: "b")) == expected)
    #expect(AdvisedCommands.addressed(text, to: .plain) == text)
    #expect(AdvisedCommands.addressed(expected, to: try Instance(name: "b")) == expected, "once is enough")
  }

  @Test(
    arguments: [
      "conversiond 0.1.0: running, process 5", "conversiond stopped", "conversiond: conversiond is not running",
      "/var/lib/conversiond/ledger.sqlite", "systemctl start conversiond-backup.timer", "systemctl start postgresql",
      "systemctl status says more of conversiond", "conversiond checks",
    ])
  func nothingElseIsChanged(text: String) throws {
    #expect(AdvisedCommands.addressed(text, to: try Instance(name: "b")) == text)
  }
}
