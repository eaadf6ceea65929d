//! Reads one source file: its paths and its conditions for compilation, outside its tests.

use syn::{
    Attribute, Ident, Meta, Path, Token, UseTree,
    buffer::{Cursor, TokenBuffer},
    punctuated::Punctuated,
    visit::{self, Visit},
};

/// A path as the source writes it, without generic arguments: `["crate", "cli", "args", "Verb"]`.
pub(crate) type Segments = Vec<String>;

/// A path, and the module that it is written in.
pub(crate) struct Written {
    /// Names of the inline modules around it, outermost first. Empty in the file's own module.
    pub(crate) inside: Segments,
    pub(crate) path: Segments,
    /// The name that a `use` item binds; `*` for a glob. `None` for a path in code.
    pub(crate) binds: Option<String>,
}

/// The parts of one file that the rules check.
#[derive(Default)]
pub(crate) struct Source {
    pub(crate) paths: Vec<Written>,
    /// The words of `#[cfg(…)]`, `#[cfg_attr(…)]` and `cfg!(…)`.
    pub(crate) conditions: Vec<String>,
    /// The modules that the file declares with `mod name;`.
    pub(crate) declares: Vec<String>,
    /// Its inline modules.
    pub(crate) inline: Vec<Segments>,
    inside: Segments,
}

impl Source {
    /// Parses a file.
    ///
    /// # Panics
    ///
    /// Panics if `text` is not Rust.
    pub(crate) fn parse(text: &str) -> Self {
        let mut source = Self::default();
        source.visit_file(&syn::parse_file(text).expect("the sources compile"));
        source
    }

    fn push(&mut self, path: Segments, binds: Option<String>) {
        self.paths.push(Written { inside: self.inside.clone(), path, binds });
    }

    fn bring_in(&mut self, tree: &UseTree, mut prefix: Segments) {
        match tree {
            UseTree::Path(part) => {
                prefix.push(part.ident.to_string());
                self.bring_in(&part.tree, prefix);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.bring_in(tree, prefix.clone())),
            UseTree::Glob(_) => self.push(prefix, Some("*".to_owned())),
            UseTree::Name(named) => self.bind(prefix, &named.ident, None),
            UseTree::Rename(renamed) => self.bind(prefix, &renamed.ident, Some(renamed.rename.to_string())),
        }
    }

    fn bind(&mut self, mut path: Segments, name: &Ident, alias: Option<String>) {
        // `a::b::{self}` brings in `b`.
        if name != "self" {
            path.push(name.to_string());
        }
        let binds = alias.or_else(|| path.last().cloned());
        self.push(path, binds);
    }

    /// Finds the paths in the tokens of a macro call or an attribute, where there is no syntax tree: names joined by `::`.
    fn scan(&mut self, mut at: Cursor<'_>) {
        let mut path = Segments::new();
        let mut colons = 0;
        while !at.eof() {
            if let Some((name, next)) = at.ident() {
                let condition = next.punct().filter(|(punct, _)| name == "cfg" && punct.as_char() == '!');
                let condition = condition.and_then(|(_, next)| next.any_group());
                self.conditions.extend(condition.into_iter().flat_map(|(group, ..)| words(group)));
                if colons != 2 {
                    self.end(&mut path);
                }
                path.push(name.to_string());
                (colons, at) = (0, next);
            } else if let Some((_, next)) = at.punct().filter(|(punct, _)| punct.as_char() == ':') {
                (colons, at) = (colons + 1, next);
            } else {
                self.end(&mut path);
                colons = 0;
                if let Some((group, .., next)) = at.any_group() {
                    self.scan(group);
                    at = next;
                } else {
                    at = at.token_tree().expect("it is not the end").1;
                }
            }
        }
        self.end(&mut path);
    }

    fn end(&mut self, path: &mut Segments) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.push(path, None);
        }
    }
}

/// Whether an item is compiled for tests only.
fn is_test(attributes: &[Attribute]) -> bool {
    fn only(meta: &Meta) -> bool {
        let Meta::List(list) = meta else { return meta.path().is_ident("test") };
        let Ok(parts) = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else { return false };
        match () {
            () if list.path.is_ident("cfg") || list.path.is_ident("all") => parts.iter().any(only),
            () if list.path.is_ident("any") => parts.iter().all(only),
            () => false,
        }
    }
    attributes.iter().any(|attribute| attribute.path().is_ident("cfg") && only(&attribute.meta))
}

/// Defines visitors that skip items compiled for tests only.
macro_rules! outside_tests {
    ($($visit:ident($node:ident)),* $(,)?) => {
        $(fn $visit(&mut self, node: &'ast syn::$node) {
            if !is_test(&node.attrs) {
                visit::$visit(self, node);
            }
        })*
    };
}

impl<'ast> Visit<'ast> for Source {
    outside_tests! {
        visit_item_const(ItemConst), visit_item_enum(ItemEnum), visit_item_fn(ItemFn), visit_item_impl(ItemImpl),
        visit_item_macro(ItemMacro), visit_item_static(ItemStatic), visit_item_struct(ItemStruct),
        visit_item_trait(ItemTrait), visit_item_type(ItemType), visit_impl_item_const(ImplItemConst),
        visit_impl_item_fn(ImplItemFn), visit_trait_item_fn(TraitItemFn), visit_field(Field), visit_variant(Variant),
        visit_arm(Arm), visit_local(Local), visit_expr_block(ExprBlock), visit_stmt_macro(StmtMacro),
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if is_test(&module.attrs) {
            return;
        }
        module.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
        let name = module.ident.to_string();
        if let Some((_, items)) = &module.content {
            self.inside.push(name);
            self.inline.push(self.inside.clone());
            items.iter().for_each(|item| self.visit_item(item));
            self.inside.pop();
        } else {
            self.declares.push(name);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            item.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
            self.bring_in(&item.tree, Segments::new());
        }
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        if !is_test(&item.attrs) {
            self.bind(Segments::new(), &item.ident, item.rename.as_ref().map(|(_, alias)| alias.to_string()));
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let mut segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.end(&mut segments);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        let tokens = TokenBuffer::new2(call.tokens.clone());
        if call.path.is_ident("cfg") {
            self.conditions.extend(words(tokens.begin()));
        }
        self.scan(tokens.begin());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let Meta::List(list) = &attribute.meta else { return };
        let tokens = TokenBuffer::new2(list.tokens.clone());
        if list.path.is_ident("cfg") || list.path.is_ident("cfg_attr") {
            self.conditions.extend(words(tokens.begin()));
        }
        self.scan(tokens.begin());
    }

    /// `pub(in path)` names a module, but uses nothing of it.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

/// The identifiers among the tokens, at any depth.
fn words(mut at: Cursor<'_>) -> Vec<String> {
    let mut found = Vec::new();
    while !at.eof() {
        if let Some((group, .., next)) = at.any_group() {
            found.extend(words(group));
            at = next;
        } else {
            found.extend(at.ident().map(|(word, _)| word.to_string()));
            at = at.token_tree().expect("it is not the end").1;
        }
    }
    found
}
