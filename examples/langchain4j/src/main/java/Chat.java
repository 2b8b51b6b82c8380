import dev.langchain4j.agent.tool.P;
import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.service.AiServices;

/// Talks to a running `./mixtral serve` through LangChain4j.
public final class Chat {
    private static String setting(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }

    /// What the model may call.
    public static final class Weather {
        @Tool(name = "get_weather", value = "Weather of a city")
        public String weather(@P(name = "city", value = "the city") String city) {
            System.out.println("get_weather was called for " + city);
            return "{\"sky\": \"sunny\", \"degrees\": 20}";
        }
    }

    /// LangChain4j implements it.
    interface Assistant {
        String chat(String message);
    }

    public static void main(String[] args) {
        ChatModel model = OpenAiChatModel.builder()
                .baseUrl(setting("MIXTRAL_URL", "http://127.0.0.1:8080") + "/v1")
                .apiKey(setting("MIXTRAL_API_KEY", "none"))
                .modelName(setting("MIXTRAL_MODEL", "mixtral-tiny"))
                .temperature(0.0)
                .build();
        System.out.println(model.chat("Name the language: He comprado tres cartas en el restaurante."));

        Assistant assistant =
                AiServices.builder(Assistant.class).chatModel(model).tools(new Weather()).build();
        System.out.println(assistant.chat("What is the weather in Vienna?"));
    }
}
