package dev.mixtral.train.corpus;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.chat.ToolMessage;
import java.util.ArrayList;
import java.util.List;

/// Chooses a tool and fills its arguments; turns a result into an answer; answers itself where no tool fits.
///
/// Call ids count up from `call00001` in a conversation, so that a small model can learn them.
final class ToolUse implements Skill {
    /// Questions that no tool is for, so that the model answers by itself.
    private final List<Skill> others;

    ToolUse(List<Skill> others) {
        this.others = List.copyOf(others);
    }

    @Override
    public String name() {
        return "tools";
    }

    @Override
    public Example draw(Rng rng) {
        Tools.Use use = Tools.draw(rng);
        int kind = rng.below(10);
        if (kind == 0) {
            return withoutTool(rng, use);
        }
        if (kind == 1 && !use.tool().name().equals("calculate")) {
            return wrongTools(rng, use);
        }
        var messages = new ArrayList<Message>();
        if (rng.chance(15)) {
            messages.add(
                    Message.system(rng.of("You are a helpful assistant.", "Use the tools.", "You can call tools.")));
        }
        messages.add(Message.user(use.question()));
        messages.add(call(use, 1));
        if (kind < 6) {
            return new Example(name(), messages, offered(rng, use), Check.TOOL_CALLS);
        }
        messages.add(new ToolMessage(use.result(), id(1), use.tool().name()));
        messages.add(Message.assistant(use.answer()));
        if (kind < 8) {
            return new Example(name(), messages, offered(rng, use), Check.EXACT);
        }
        return another(rng, use, messages);
    }

    /// Goes on with a second question to the same tool.
    private Example another(Rng rng, Tools.Use first, List<Message> messages) {
        Tools.Use second = Tools.draw(rng);
        while (!second.tool().name().equals(first.tool().name())) {
            second = Tools.draw(rng);
        }
        messages.add(Message.user(second.question()));
        messages.add(call(second, 2));
        return new Example(name(), messages, offered(rng, first), Check.TOOL_CALLS);
    }

    private Example withoutTool(Rng rng, Tools.Use use) {
        Example plain = rng.pick(others).draw(rng);
        return new Example(name(), plain.messages(), offered(rng, use), plain.check());
    }

    /// A question whose tool is not among those on offer.
    private Example wrongTools(Rng rng, Tools.Use use) {
        var rest = new ArrayList<>(Tools.ALL);
        rest.remove(use.tool());
        var messages = List.of(Message.user(use.question()), Message.assistant(Honesty.answer(rng)));
        return new Example(name(), messages, rng.sample(rest, rng.between(1, 3)), Check.OPENING);
    }

    private static AssistantMessage call(Tools.Use use, int number) {
        var call = new ToolCall(id(number), use.tool().name(), Json.write(use.arguments()));
        return new AssistantMessage(null, List.of(call), false);
    }

    private static String id(int number) {
        return "call0000" + number;
    }

    /// Returns the tool that is needed among up to two others, in random order.
    private static List<ToolDefinition> offered(Rng rng, Tools.Use use) {
        var rest = new ArrayList<>(Tools.ALL);
        rest.remove(use.tool());
        List<ToolDefinition> others = rng.sample(rest, rng.below(3));
        var offered = new ArrayList<>(others);
        offered.add(rng.below(offered.size() + 1), use.tool());
        return offered;
    }
}
