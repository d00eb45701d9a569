//! Jupiter's aggregator, version 6: routes as its instructions carry them. Source: the program's published IDL.
//!
//! There are eight instructions: exact in and exact out, over the user's or the program's own accounts, in two versions.
//! The first keeps its numbers behind the plan of the route, the second before it. The plan's steps are left as bytes.

use super::Mode;
use crate::instruction::{u16_at, u64_at};
use crate::{Address, Instruction, Meta};

/// The program.
pub const ID: Address = Address::from_str_const("JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4");

/// Whom the program's events are signed by.
pub const EVENT_AUTHORITY: Address = Address::from_str_const("D8cy77BBepLMngZx6ZukaTff5hCt1HrWyKk3Hnd9oitf");

/// Less came out, or more was to be paid, than the slippage allows.
pub const SLIPPAGE_EXCEEDED: u32 = 6001;
/// The fixed output was not met.
pub const EXACT_OUT_NOT_MATCHED: u32 = 6017;
/// The source holds less than is to be paid.
pub const INSUFFICIENT_FUNDS: u32 = 6024;
/// An account is not of the token, or not the user's.
pub const INVALID_TOKEN_ACCOUNT: u32 = 6025;

/// The numbers of an instruction of the first version: two amounts, the slippage and the fee.
const TAIL: usize = 19;

/// The same of the second version, with the share of what comes out besides.
const HEAD: usize = 22;

/// How a route's instruction is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Form {
    /// Which amount is fixed.
    pub mode: Mode,
    /// Whether tokens pass through the program's own accounts.
    pub shared: bool,
    /// 1, or 2.
    pub version: u8,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// How it is written.
    pub form: Form,
    /// Who pays and signs.
    pub authority: Address,
    /// The account that is paid from.
    pub source: Address,
    /// The account that receives. With the program's shared accounts too, it is the user's.
    pub destination: Address,
    /// The token that is paid, where the instruction names it: all forms do but `route` of the first version.
    pub source_mint: Option<Address>,
    /// The token that is received.
    pub destination_mint: Address,
    /// The fixed amount, in base units.
    pub amount: u64,
    /// The other amount as it was quoted.
    pub quoted: u64,
    /// How much worse than quoted it may be.
    pub slippage_bps: u16,
    /// What the integrator takes.
    pub platform_fee_bps: u16,
    /// The program's own accounts, that tokens pass through: of the token paid, and of the one received. Only with shared
    /// accounts.
    pub program_accounts: Option<[Address; 2]>,
    /// Whose those are.
    pub program_authority: Option<Address>,
    /// The steps of the plan, their count before them, as bytes.
    pub plan: Vec<u8>,
}

/// Forms by the first eight bytes of SHA-256 of `global:` and the instruction's name.
const FORMS: [([u8; 8], Form); 8] = [
    ([229, 23, 203, 151, 122, 227, 173, 42], form(Mode::ExactIn, false, 1)),
    ([193, 32, 155, 51, 65, 214, 156, 129], form(Mode::ExactIn, true, 1)),
    ([208, 51, 239, 151, 123, 43, 237, 92], form(Mode::ExactOut, false, 1)),
    ([176, 209, 105, 168, 154, 125, 69, 62], form(Mode::ExactOut, true, 1)),
    ([187, 100, 250, 204, 49, 196, 175, 20], form(Mode::ExactIn, false, 2)),
    ([209, 152, 83, 147, 124, 254, 216, 233], form(Mode::ExactIn, true, 2)),
    ([157, 138, 184, 82, 21, 244, 243, 36], form(Mode::ExactOut, false, 2)),
    ([53, 96, 229, 202, 216, 187, 250, 24], form(Mode::ExactOut, true, 2)),
];

const fn form(mode: Mode, shared: bool, version: u8) -> Form {
    Form { mode, shared, version }
}

/// What an account is to a route.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    TokenProgram,
    Token2022Program,
    SourceProgram,
    DestinationProgram,
    ProgramAuthority,
    ProgramSource,
    ProgramDestination,
    Authority,
    Source,
    Destination,
    /// Another account that receives; the program's id where there is none.
    Elsewhere,
    SourceMint,
    DestinationMint,
    /// The integrator's account; the program's id where there is none.
    Fee,
    Events,
    Program,
}

impl Form {
    /// Its fixed accounts in their order.
    const fn roles(self) -> &'static [Role] {
        use Role::{
            Authority, Destination, DestinationMint, DestinationProgram, Elsewhere, Events, Fee, Program,
            ProgramAuthority, ProgramDestination, ProgramSource, Source, SourceMint, SourceProgram, Token2022Program,
            TokenProgram,
        };
        match (self.version, self.shared, self.mode) {
            (1, false, Mode::ExactIn) => {
                &[TokenProgram, Authority, Source, Destination, Elsewhere, DestinationMint, Fee, Events, Program]
            }
            (1, false, Mode::ExactOut) => &[
                TokenProgram,
                Authority,
                Source,
                Destination,
                Elsewhere,
                SourceMint,
                DestinationMint,
                Fee,
                Token2022Program,
                Events,
                Program,
            ],
            (1, true, _) => &[
                TokenProgram,
                ProgramAuthority,
                Authority,
                Source,
                ProgramSource,
                ProgramDestination,
                Destination,
                SourceMint,
                DestinationMint,
                Fee,
                Token2022Program,
                Events,
                Program,
            ],
            (_, false, _) => &[
                Authority,
                Source,
                Destination,
                SourceMint,
                DestinationMint,
                SourceProgram,
                DestinationProgram,
                Elsewhere,
                Events,
                Program,
            ],
            (_, true, _) => &[
                ProgramAuthority,
                Authority,
                Source,
                ProgramSource,
                ProgramDestination,
                Destination,
                SourceMint,
                DestinationMint,
                SourceProgram,
                DestinationProgram,
                Events,
                Program,
            ],
        }
    }
}

impl Route {
    /// The other amount's limit, which the program enforces: the least that is received, or the most that is paid.
    #[must_use]
    pub fn limit(&self) -> u64 {
        limit(self.form.mode, self.quoted, self.slippage_bps)
    }

    /// The instruction, with `rest` behind its fixed accounts. `None` where the form needs what the route lacks.
    #[must_use]
    pub fn instruction(&self, rest: &[Meta]) -> Option<Instruction> {
        let (discriminator, _) = FORMS.iter().find(|(_, form)| *form == self.form)?;
        let meta = |role: &Role| {
            Some(match role {
                Role::TokenProgram | Role::SourceProgram | Role::DestinationProgram => Meta::readonly(super::token::ID),
                Role::Elsewhere | Role::Fee | Role::Token2022Program | Role::Program => Meta::readonly(ID),
                Role::Events => Meta::readonly(EVENT_AUTHORITY),
                Role::ProgramAuthority => Meta::readonly(self.program_authority?),
                Role::ProgramSource => Meta::writable(self.program_accounts?[0]),
                Role::ProgramDestination => Meta::writable(self.program_accounts?[1]),
                Role::Authority => Meta::signer(self.authority),
                Role::Source => Meta::writable(self.source),
                Role::Destination => Meta::writable(self.destination),
                Role::SourceMint => Meta::readonly(self.source_mint?),
                Role::DestinationMint => Meta::readonly(self.destination_mint),
            })
        };
        let mut accounts: Vec<_> = self.form.roles().iter().map(meta).collect::<Option<_>>()?;
        accounts.extend_from_slice(rest);
        Some(Instruction { program: ID, accounts, data: [&discriminator[..], &self.data()?].concat() })
    }

    fn data(&self) -> Option<Vec<u8>> {
        let amounts = [self.amount.to_le_bytes(), self.quoted.to_le_bytes()].concat();
        let (slippage, fee) = (self.slippage_bps.to_le_bytes(), self.platform_fee_bps.to_le_bytes());
        let id: &[u8] = if self.form.shared { &[0] } else { &[] };
        Some(if self.form.version == 1 {
            let fee = u8::try_from(self.platform_fee_bps).ok()?;
            [id, &self.plan, &amounts, &slippage, &[fee]].concat()
        } else {
            [id, &amounts, &slippage, &fee, &[0, 0], &self.plan].concat()
        })
    }
}

/// The limit of a quote: exact in the least received, rounded up; exact out the most paid, rounded down.
#[must_use]
pub fn limit(mode: Mode, quoted: u64, slippage_bps: u16) -> u64 {
    let slippage = u128::from(slippage_bps.min(10_000));
    let limit = match mode {
        Mode::ExactIn => (u128::from(quoted) * (10_000 - slippage)).div_ceil(10_000),
        Mode::ExactOut => u128::from(quoted) * (10_000 + slippage) / 10_000,
    };
    u64::try_from(limit).unwrap_or(u64::MAX)
}

/// Reads a route in any form; every other instruction of the program is none.
#[must_use]
pub fn read(instruction: &Instruction) -> Option<Route> {
    let discriminator = instruction.data.first_chunk::<8>().filter(|_| instruction.program == ID)?;
    let (_, form) = *FORMS.iter().find(|(known, _)| known == discriminator)?;
    let data = instruction.data.get(8 + usize::from(form.shared)..)?;
    let (plan, numbers) = if form.version == 1 {
        let (plan, tail) = data.split_at_checked(data.len().checked_sub(TAIL)?)?;
        (plan, (u64_at(tail, 0)?, u64_at(tail, 8)?, u16_at(tail, 16)?, u16::from(*tail.get(18)?)))
    } else {
        let (head, plan) = data.split_at_checked(HEAD)?;
        (plan, (u64_at(head, 0)?, u64_at(head, 8)?, u16_at(head, 16)?, u16_at(head, 18)?))
    };
    let (amount, quoted, slippage_bps, platform_fee_bps) = numbers;
    let roles = form.roles();
    let key = |role: Role| instruction.key(roles.iter().position(|known| *known == role)?);
    // All fixed accounts are there, and the authority signs.
    let authority = roles.iter().position(|role| *role == Role::Authority)?;
    if instruction.accounts.len() < roles.len() || !instruction.signs(authority) {
        return None;
    }
    Some(Route {
        form,
        authority: key(Role::Authority)?,
        source: key(Role::Source)?,
        destination: key(Role::Elsewhere).filter(|account| *account != ID).or_else(|| key(Role::Destination))?,
        source_mint: key(Role::SourceMint),
        destination_mint: key(Role::DestinationMint)?,
        amount,
        quoted,
        slippage_bps,
        platform_fee_bps,
        program_accounts: key(Role::ProgramSource).zip(key(Role::ProgramDestination)).map(Into::into),
        program_authority: key(Role::ProgramAuthority),
        plan: plan.to_vec(),
    })
}

/// How many fixed accounts a form has: those that depend on the pools come behind them.
#[must_use]
pub const fn fixed_accounts(form: Form) -> usize {
    form.roles().len()
}
