//! What an SMB server says, as facts the judge knows. No file's name comes through.

use std::io;

use model::Symptom;
use smb::Status;

use super::Trouble;
use super::logins::NotIn;

/// Disk full, as the protocol numbers it (MS-ERREF 2.3.1).
const DISK_FULL: u32 = 0xC000_007F;
/// Write-protected medium.
const WRITE_PROTECTED: u32 = 0xC000_00A2;
/// A read-only file, or one that is being run.
const CANNOT_DELETE: u32 = 0xC000_0121;
/// Another process has marked the file for deletion.
pub const DELETE_PENDING: u32 = 0xC000_0056;

/// What a server says of the account or its password when it lets nobody in (MS-ERREF 2.3.1).
const ABOUT_THE_LOGIN: [u32; 18] = [
    Status::U32_ACCESS_DENIED,
    0xC000_0064, // STATUS_NO_SUCH_USER
    0xC000_006A, // STATUS_WRONG_PASSWORD
    0xC000_006B, // STATUS_ILL_FORMED_PASSWORD
    0xC000_006C, // STATUS_PASSWORD_RESTRICTION
    Status::U32_LOGON_FAILURE,
    0xC000_006E, // STATUS_ACCOUNT_RESTRICTION
    0xC000_006F, // STATUS_INVALID_LOGON_HOURS
    0xC000_0070, // STATUS_INVALID_WORKSTATION
    0xC000_0071, // STATUS_PASSWORD_EXPIRED
    0xC000_0072, // STATUS_ACCOUNT_DISABLED
    0xC000_0155, // STATUS_LOGON_NOT_GRANTED
    0xC000_015B, // STATUS_LOGON_TYPE_NOT_GRANTED
    0xC000_0193, // STATUS_ACCOUNT_EXPIRED
    0xC000_0224, // STATUS_PASSWORD_MUST_CHANGE
    Status::U32_USER_ACCOUNT_LOCKED_OUT,
    0xC000_0413, // STATUS_AUTHENTICATION_FIREWALL_FAILED
    0xC000_0418, // STATUS_NTLM_BLOCKED
];

/// What a server says that has no room for one more, or nobody to ask yet whether a login is right.
const UNJUDGED: [u32; 9] = [
    0xC000_005E, // STATUS_NO_LOGON_SERVERS
    0xC000_009A, // STATUS_INSUFFICIENT_RESOURCES
    0xC000_00AC, // STATUS_PIPE_NOT_AVAILABLE
    0xC000_00CE, // STATUS_TOO_MANY_SESSIONS
    0xC000_00D0, // STATUS_REQUEST_NOT_ACCEPTED
    0xC000_0192, // STATUS_NETLOGON_NOT_STARTED
    0xC000_0205, // STATUS_INSUFF_SERVER_RESOURCES
    0xC000_02EB, // STATUS_SYSTEM_SHUTDOWN
    0xC000_02FE, // STATUS_SHUTDOWN_IN_PROGRESS
];

/// A TCP connection that was not made.
pub fn connecting(error: &io::Error) -> Trouble {
    let symptom = match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Symptom::Refused,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Symptom::Unreachable,
        _ => Symptom::Silent,
    };
    Trouble { symptom, action: "connect", detail: error.kind().to_string() }
}

/// A session that is not granted. Only what is said of the account or its password is a refused login: whatever else a
/// server says there, as one that boots, shuts down or has no room does, tells of nobody's fault.
pub fn refused(error: &smb::Error) -> NotIn {
    let found = trouble("log in", error);
    match status(error) {
        Some(status) if ABOUT_THE_LOGIN.contains(&status) => {
            NotIn::Counted(Trouble { symptom: Symptom::LoginRefused, ..found })
        }
        Some(status) if UNJUDGED.contains(&status) => {
            NotIn::Unjudged(Trouble { symptom: Symptom::Malformed, ..found })
        }
        Some(_) => NotIn::Counted(Trouble { symptom: Symptom::Malformed, ..found }),
        None => NotIn::Counted(found),
    }
}

/// A status the server gave.
pub fn said(action: &'static str, status: u32) -> Trouble {
    let symptom = match status {
        Status::U32_ACCESS_DENIED | WRITE_PROTECTED | CANNOT_DELETE => Symptom::Denied,
        Status::U32_BAD_NETWORK_NAME
        | Status::U32_NETWORK_NAME_DELETED
        | Status::U32_OBJECT_NAME_NOT_FOUND
        | Status::U32_OBJECT_PATH_NOT_FOUND => Symptom::ShareMissing,
        Status::U32_LOGON_FAILURE | Status::U32_USER_ACCOUNT_LOCKED_OUT => Symptom::LoginRefused,
        DISK_FULL => Symptom::DiskFull,
        _ => Symptom::Malformed,
    };
    Trouble { symptom, action, detail: Status::try_display_as_status(status) }
}

/// The client's error.
pub fn trouble(action: &'static str, error: &smb::Error) -> Trouble {
    match status(error) {
        Some(status) => said(action, status),
        None => Trouble { symptom: Symptom::Silent, action, detail: plain(error).to_owned() },
    }
}

/// Reads, writes and flushes come back as I/O errors whose text ends in the status.
pub fn hidden(action: &'static str, error: &io::Error) -> Trouble {
    let text = error.to_string();
    let digits = text.rsplit_once("0x").map(|(_, rest)| rest.trim_end_matches([')', '.']));
    match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
        Some(status) => said(action, status),
        None => {
            let detail = "the connection ended".to_owned();
            Trouble { symptom: Symptom::Silent, action, detail }
        }
    }
}

/// The status in the client's error, if the server gave one.
pub const fn status(error: &smb::Error) -> Option<u32> {
    match error {
        smb::Error::UnexpectedMessageStatus(status) | smb::Error::ReceivedErrorMessage(status, _) => {
            Some(*status)
        }
        _ => None,
    }
}

/// What a status says about one file rather than about the share.
pub const fn is_about_the_file(status: u32) -> bool {
    matches!(
        status,
        Status::U32_OBJECT_NAME_NOT_FOUND
            | Status::U32_OBJECT_NAME_COLLISION
            | Status::U32_SHARING_VIOLATION
            | Status::U32_FILE_IS_A_DIRECTORY
            | DELETE_PENDING
    )
}

/// The client's error in words that name no file: its own may.
const fn plain(error: &smb::Error) -> &'static str {
    match error {
        smb::Error::OperationTimeout(..) => "no answer in time",
        smb::Error::ConnectionStopped | smb::Error::TransportError(_) => "the connection ended",
        smb::Error::NegotiationError(_) => "no common dialect or no encryption",
        smb::Error::SspiError(_) => "the login could not be made",
        smb::Error::SignatureVerificationFailed | smb::Error::TranformFailed(_) => {
            "a message was not authentic"
        }
        _ => "an answer that was not expected",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u32) -> NotIn {
        refused(&smb::Error::UnexpectedMessageStatus(status))
    }

    fn symptom(status: u32) -> Symptom {
        answer(status).trouble().symptom
    }

    #[test]
    fn what_is_said_of_the_account_or_its_password_is_a_refused_login() {
        for status in
            [Status::U32_LOGON_FAILURE, Status::U32_USER_ACCOUNT_LOCKED_OUT, 0xC000_0071, 0xC000_015B]
        {
            assert_eq!(symptom(status), Symptom::LoginRefused, "{status:#x}");
        }
    }

    #[test]
    fn a_terminal_that_boots_is_full_or_says_what_nobody_knows_has_not_refused_the_login() {
        let booting = [0xC000_0192, 0xC000_005E, 0xC000_00AC, 0xC000_00BB, 0xC000_00E5];
        let full = [0xC000_009A, 0xC000_00CE, 0xC000_00D0, 0xC000_0205, 0xC000_007F];
        for status in booting.into_iter().chain(full).chain([Status::U32_BAD_NETWORK_NAME, 0xC0DE_0001]) {
            assert_eq!(symptom(status), Symptom::Malformed, "{status:#x}");
        }
    }

    #[test]
    fn only_a_server_that_says_that_it_judged_nothing_has_counted_nothing() {
        assert!(UNJUDGED.into_iter().all(|status| matches!(answer(status), NotIn::Unjudged(_))));
        let counted = [Status::U32_LOGON_FAILURE, 0xC000_00E5, 0xC000_00BB, 0xC0DE_0001];
        assert!(counted.into_iter().all(|status| matches!(answer(status), NotIn::Counted(_))));
        let mute = refused(&smb::Error::ConnectionStopped);
        assert!(matches!(mute, NotIn::Counted(trouble) if trouble.symptom == Symptom::Silent));
    }
}
